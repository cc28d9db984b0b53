//! Pieces on a byte stream, as `quorate_wire` cuts them: four bytes of length, big-endian, then so many bytes.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Reads one frame of at most `limit` bytes. Memory grows with what arrives, not with what is announced.
///
/// # Errors
/// `InvalidData` for a longer one; else the stream's.
pub(crate) async fn read_frame(
    stream: &mut (impl AsyncRead + Unpin),
    limit: usize,
) -> io::Result<Vec<u8>> {
    let length = stream.read_u32().await?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > limit {
        let why = format!("a frame of {length} bytes is more than the {limit} allowed");
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    let mut frame = Vec::new();
    stream.take(length as u64).read_to_end(&mut frame).await?;
    if frame.len() == length {
        Ok(frame)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

/// Writes one frame.
///
/// # Errors
/// `InvalidInput` for one beyond 4 GiB; else the stream's.
pub(crate) async fn write_frame(
    stream: &mut (impl AsyncWrite + Unpin),
    frame: &[u8],
) -> io::Result<()> {
    let length =
        u32::try_from(frame.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(frame).await?;
    stream.flush().await
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::{read_frame, write_frame};

    #[tokio::test]
    async fn frames_come_out_as_they_went_in() {
        let mut stream = Vec::new();
        for frame in [&b"one"[..], b"", b"three"] {
            write_frame(&mut stream, frame).await.unwrap();
        }
        let mut read = stream.as_slice();
        for frame in [&b"one"[..], b"", b"three"] {
            assert_eq!(read_frame(&mut read, 5).await.unwrap(), frame);
        }
        assert_eq!(
            read_frame(&mut read, 5).await.unwrap_err().kind(),
            ErrorKind::UnexpectedEof
        );
    }

    #[tokio::test]
    async fn a_length_bomb_is_refused_before_anything_is_allocated() {
        let mut bomb = &[0xff, 0xff, 0xff, 0xff, 1, 2, 3][..];
        assert_eq!(
            read_frame(&mut bomb, 1024).await.unwrap_err().kind(),
            ErrorKind::InvalidData
        );
        let mut short = &[0, 0, 0, 4, 1, 2][..];
        assert_eq!(
            read_frame(&mut short, 1024).await.unwrap_err().kind(),
            ErrorKind::UnexpectedEof
        );
    }
}
