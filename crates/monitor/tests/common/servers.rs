//! Servers that answer as told and keep what they were sent: HTTP and SMTP over the loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What a server was sent: head and body of each request, or the lines of a conversation.
pub type Heard = Arc<Mutex<Vec<(String, String)>>>;

/// An HTTP server that answers the statuses in order, and the last one from then on; with 0 it never answers.
pub fn http(statuses: &'static [u16]) -> (String, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let heard = Heard::default();
    let kept = heard.clone();
    std::thread::spawn(move || {
        let mut hung = Vec::new();
        for (number, stream) in listener.incoming().flatten().enumerate() {
            let Some(request) = request(&stream) else { continue };
            kept.lock().unwrap().push(request);
            match statuses.get(number).or(statuses.last()) {
                Some(0) | None => hung.push(stream),
                Some(status) => answer(stream, *status),
            }
        }
    });
    (address, heard)
}

fn request(stream: &TcpStream) -> Option<(String, String)> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, String::from_utf8(body).ok()?))
}

fn answer(mut stream: TcpStream, status: u16) {
    let text = "s3cret is not what I wanted";
    let _ = write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len());
}

/// An SMTP server in clear that takes mail, or refuses it with an answer such as `550 no`.
pub fn smtp(refusal: Option<&'static str>) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Heard::default();
    let kept = heard.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = conversation(stream, refusal, &kept);
        }
    });
    (port, heard)
}

fn conversation(mut stream: TcpStream, refusal: Option<&str>, kept: &Heard) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    write!(stream, "220 fake\r\n")?;
    let mut envelope = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        envelope.push_str(&line);
        match (line.get(..4).unwrap_or_default(), refusal) {
            ("EHLO", _) => write!(stream, "250-fake\r\n250 8BITMIME\r\n")?,
            ("MAIL", Some(refusal)) => write!(stream, "{refusal}\r\n")?,
            ("DATA", _) => {
                write!(stream, "354 go on\r\n")?;
                let mut body = String::new();
                while !body.ends_with("\r\n.\r\n") {
                    if reader.read_line(&mut body)? == 0 {
                        return Ok(());
                    }
                }
                kept.lock().unwrap().push((std::mem::take(&mut envelope), body));
                write!(stream, "250 taken\r\n")?;
            }
            ("QUIT", _) => {
                write!(stream, "221 bye\r\n")?;
                return Ok(());
            }
            _ => write!(stream, "250 ok\r\n")?,
        }
    }
}
