//! A daemon that a test plays: one thread, one answer a connection.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use quorate_api::{ADDR_FILE, API_VERSION, STORE_FILE, TOKEN_FILE, hello_proof};

/// Token of every fake daemon.
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// A request as the fake daemon saw it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Method and target: `GET /v1/status`.
    pub line: String,
    /// Headers, names in lower case.
    pub headers: HashMap<String, String>,
    /// Body.
    pub body: String,
}

/// Answers requests that are not the hello, by a test's own rule.
pub struct FakeDaemon {
    /// Where it listens.
    pub addr: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    token: Arc<Mutex<&'static str>>,
}

impl FakeDaemon {
    /// Serves `dir` as a good daemon would; `answer` gives status and body.
    pub fn serve(dir: &Path, answer: impl Fn(&Seen) -> (u16, String) + Send + 'static) -> Self {
        Self::with_hello(dir, API_VERSION, TOKEN, answer)
    }

    /// Serves `dir` with another API version, or knowing another token than the folder's.
    pub fn with_hello(
        dir: &Path,
        version: u32,
        token: &'static str,
        answer: impl Fn(&Seen) -> (u16, String) + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        write_endpoint(dir, &addr.to_string());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let token = Arc::new(Mutex::new(token));
        let (log, known) = (Arc::clone(&seen), Arc::clone(&token));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let token = *known.lock().unwrap();
                handle(stream.unwrap(), &log, version, token, &answer);
            }
        });
        Self { addr, seen, token }
    }

    /// From now on it is another program that listens.
    pub fn forget_token(&self) {
        *self.token.lock().unwrap() = "another";
    }

    /// Every request but the hello, in order.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// Makes `dir` look like the folder of a daemon at `addr`.
pub fn write_endpoint(dir: &Path, addr: &str) {
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(dir.join(STORE_FILE), "").unwrap();
    fs::write(dir.join(ADDR_FILE), addr).unwrap();
    let token = dir.join(TOKEN_FILE);
    fs::write(&token, TOKEN).unwrap();
    fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
}

fn handle(
    mut stream: TcpStream,
    log: &Mutex<Vec<Seen>>,
    version: u32,
    token: &str,
    answer: &impl Fn(&Seen) -> (u16, String),
) {
    let Some(seen) = read(&stream) else { return };
    let (status, body) = match seen.line.split_once("hello?nonce=") {
        Some((_, nonce)) => {
            let proof = hello_proof(token, nonce);
            (200, format!("{{\"api\":{version},\"proof\":\"{proof}\"}}"))
        }
        None => {
            log.lock().unwrap().push(seen.clone());
            answer(&seen)
        }
    };
    let length = body.len();
    // A client that has heard enough may be gone.
    drop(write!(
        stream,
        "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    ));
}

fn read(stream: &TcpStream) -> Option<Seen> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let line = line.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(':') else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|it| it.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Seen {
        line,
        headers,
        body: String::from_utf8(body).ok()?,
    })
}
