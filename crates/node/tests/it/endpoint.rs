//! A chain's endpoint that answers as a test says: HTTP/1.1 by hand, one answer a connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What to answer a call with.
pub(crate) enum Say {
    Result(Value),
    Error(i64, &'static str),
    /// These bytes as the body, with this status.
    Raw(u16, Vec<u8>),
    /// Another location.
    Redirect(String),
    Late(Duration),
    /// So many bytes of body, without end in sight.
    Flood,
}

/// Starts an endpoint; `answer` gets method and params.
pub(crate) async fn endpoint(
    answer: impl Fn(&str, &Value) -> Say + Send + Sync + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = Arc::clone(&answer);
            tokio::spawn(async move { serve(stream, &*answer).await });
        }
    });
    address
}

async fn serve(mut stream: TcpStream, answer: &(dyn Fn(&str, &Value) -> Say + Send + Sync)) {
    let Some(call) = read_call(&mut stream).await else {
        return;
    };
    let say = answer(call["method"].as_str().unwrap(), &call["params"]);
    let id = &call["id"];
    let (status, headers, body) = match say {
        Say::Result(result) => (
            200,
            String::new(),
            json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string(),
        ),
        Say::Error(code, message) => {
            let error = json!({"code": code, "message": message});
            (
                200,
                String::new(),
                json!({"jsonrpc": "2.0", "id": id, "error": error}).to_string(),
            )
        }
        Say::Raw(status, body) => (
            status,
            String::new(),
            String::from_utf8_lossy(&body).into_owned(),
        ),
        Say::Redirect(to) => (307, format!("location: {to}\r\n"), String::new()),
        Say::Late(delay) => {
            tokio::time::sleep(delay).await;
            return;
        }
        Say::Flood => return flood(stream).await,
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.ok();
    stream.write_all(body.as_bytes()).await.ok();
}

async fn flood(mut stream: TcpStream) {
    stream
        .write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"result\": \"")
        .await
        .ok();
    let chunk = vec![b'0'; 64 * 1024];
    while stream.write_all(&chunk).await.is_ok() {}
}

async fn read_call(stream: &mut TcpStream) -> Option<Value> {
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let read = stream
            .read(&mut chunk)
            .await
            .ok()
            .filter(|read| *read > 0)?;
        bytes.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((_, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        if let Ok(call) = serde_json::from_str(body) {
            return Some(call);
        }
    }
}
