//! A small HTTP/1.1 load generator over keep-alive connections: the same for every server that is measured.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// An answer: status and body.
pub struct Answer {
    pub status: u16,
    pub headers: String,
    pub body: Vec<u8>,
}

/// One keep-alive connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// Sends a request that was built before and reads its answer, by Content-Length or chunked.
    pub async fn send(&mut self, request: &[u8]) -> std::io::Result<Answer> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head_end = loop {
            if let Some(at) = find(&self.buffer, b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let headers = String::from_utf8_lossy(&self.buffer[..head_end]).into_owned();
        let lower = headers.to_ascii_lowercase();
        let status = headers.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        let length = lower.split("content-length:").nth(1).and_then(|rest| rest.lines().next()?.trim().parse::<usize>().ok());
        let end = match length {
            Some(length) => head_end + length,
            None if lower.contains("transfer-encoding: chunked") => {
                while !self.buffer.ends_with(b"0\r\n\r\n") {
                    self.more().await?;
                }
                self.buffer.len()
            }
            None => head_end,
        };
        while self.buffer.len() < end {
            self.more().await?;
        }
        Ok(Answer { status, headers, body: self.buffer[head_end..end].to_vec() })
    }

    async fn more(&mut self) -> std::io::Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }
}

fn find(text: &[u8], pattern: &[u8]) -> Option<usize> {
    text.windows(pattern.len()).position(|window| window == pattern)
}

/// A request's bytes.
pub fn request(method: &str, path: &str, cookie: Option<&str>, body: &str) -> Vec<u8> {
    let cookie = cookie.map(|c| format!("Cookie: {c}\r\n")).unwrap_or_default();
    let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    format!("{method} {path} HTTP/1.1\r\nHost: bench\r\n{cookie}{kind}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// What a load gave.
pub struct Load {
    pub per_second: f64,
    pub p50: Duration,
    pub p99: Duration,
}

/// Sends requests from `callers` connections for `seconds`; `next(n)` makes the n-th request. Every answer must be a success.
pub async fn load(
    address: SocketAddr,
    callers: usize,
    seconds: f64,
    next: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static,
) -> Load {
    let next = Arc::new(next);
    let number = Arc::new(AtomicUsize::new(0));
    let until = Instant::now() + Duration::from_secs_f64(seconds);
    let started = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..callers {
        let (next, number) = (next.clone(), number.clone());
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(address).await.expect("the server listens");
            let mut took = Vec::new();
            while Instant::now() < until {
                let request = next(number.fetch_add(1, Ordering::Relaxed));
                let sent = Instant::now();
                let answer = connection.send(&request).await.expect("the server answers");
                took.push(sent.elapsed());
                assert!((200..300).contains(&answer.status), "{} {}", answer.status, String::from_utf8_lossy(&answer.body));
            }
            took
        }));
    }
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await.expect("a caller does not panic"));
    }
    let elapsed = started.elapsed().as_secs_f64();
    all.sort();
    let at = |share: f64| all[((all.len() - 1) as f64 * share) as usize];
    Load { per_second: all.len() as f64 / elapsed, p50: at(0.5), p99: at(0.99) }
}
