//! How many forecasts a second does the server answer, how late, in how much memory, and how soon is it ready?
//!
//! `cargo bench --bench serve [-- SECONDS [ADDRESS PATH BODY]]`: fits ETS to one weekly series of 143 values, serves the saved fits by
//! the program itself on this machine, and asks for its forecast over 16 connections that are kept open, for SECONDS (10 if not stated),
//! load generator and server on the same cores. The answer is compared with the library's before anything is timed. With ADDRESS, PATH
//! and BODY the same load goes to another server afterwards, such as MLflow's: `127.0.0.1:5000 /invocations '{"inputs": …}'`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tradewind::prelude::*;

const CONNECTIONS: usize = 16;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A server that ends with the bench.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let seconds: u64 = arguments.first().map_or(Ok(10), |text| text.parse())?;
    let home = tempfile::tempdir()?;
    let models = home.path().join("models");
    std::fs::create_dir(&models)?;
    let columns = Columns::new(["Store", "Dept"], "Date", "Weekly_Sales");
    let sales = Panel::read("data/walmart_sales_weekly.csv", columns)?.series("Store=1, Dept=1")?;
    let fits = sales.fit_for(["ets(season=52)"], 8)?;
    fits.save(models.join("weekly.fits"))?;

    let begun = Instant::now();
    let child = Command::new(env!("CARGO_BIN_EXE_tradewind"))
        .args(["serve", "--listen", "127.0.0.1:0", "--models"])
        .arg(&models)
        .arg("--state")
        .arg(home.path().join("state"))
        .env("TRADEWIND_LOG", "info")
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(home.path().join("log"))?)
        .spawn()?;
    let mut served = Served(child);
    let mut line = String::new();
    BufReader::new(served.0.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    let address = line.trim().rsplit("http://").next().unwrap_or_default().trim_end_matches('/').to_string();
    let ready = loop {
        if get(&address, "/readyz").is_ok_and(|status| status == 200) {
            break begun.elapsed();
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "not ready: {line}");
    };
    println!("ready {:.0} ms after the start", ready.as_secs_f64() * 1e3);

    let body = json!({"model": "weekly", "series": ["Store=1, Dept=1"], "horizon": 8}).to_string();
    let answer: Value = serde_json::from_slice(&ask(&mut connect(&address)?, &address, "/v1/forecast", &body)?.1)?;
    let expected = fits.forecast(8)?.mean("ets(season=52)", "Store=1, Dept=1")?;
    let steps = answer["forecasts"][0]["steps"].as_array().ok_or("no steps")?;
    let means: Vec<f64> = steps.iter().filter_map(|step| step["mean"].as_f64()).collect();
    assert_eq!(means, expected, "the server forecasts something else than the library");

    load(&address, "/v1/forecast", &body, 1)?;
    let before = memory(served.0.id());
    let mut rates = Vec::new();
    // Minute by minute, so that memory which grows is seen to grow.
    for part in parts(seconds) {
        let measured = load(&address, "/v1/forecast", &body, part)?;
        println!("{measured}, {:.0} MB", memory(served.0.id()));
        rates.push(measured.rate);
    }
    println!("memory: {before:.0} MB after the first second, {:.0} MB at the end", memory(served.0.id()));
    if let [_, other, path, body, ..] = &arguments[..] {
        load(other, path, body, 1)?;
        let measured = load(other, path, body, seconds.min(30))?;
        let ours = rates.iter().sum::<f64>() / rates.len() as f64;
        println!("{other}{path}: {measured}; ours is {:.1} times as fast", ours / measured.rate);
    }
    Ok(())
}

fn parts(seconds: u64) -> impl Iterator<Item = u64> {
    (0..seconds.div_ceil(60)).map(move |minute| (seconds - 60 * minute).min(60))
}

struct Measured {
    rate: f64,
    /// Milliseconds.
    median: f64,
    p99: f64,
    most: f64,
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rate, median, p99, most } = self;
        write!(f, "{rate:.0} a second, median {median:.2} ms, p99 {p99:.2} ms, at most {most:.1} ms")
    }
}

/// Asks over all connections at once, each as soon as it has its answer.
fn load(address: &str, path: &str, body: &str, seconds: u64) -> Result<Measured> {
    let begun = Instant::now();
    let one = || -> Result<Vec<f64>> {
        let mut connection = connect(address)?;
        let mut times = Vec::new();
        while begun.elapsed() < Duration::from_secs(seconds) {
            let asked = Instant::now();
            let (status, answer) = ask(&mut connection, address, path, body)?;
            assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
            times.push(asked.elapsed().as_secs_f64() * 1e3);
        }
        Ok(times)
    };
    let times: Vec<Result<Vec<f64>>> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(one)).collect();
        asking.into_iter().map(|asking| asking.join().unwrap_or_else(|_| Err("a connection failed".into()))).collect()
    });
    let elapsed = begun.elapsed().as_secs_f64();
    let mut times: Vec<f64> = times.into_iter().collect::<Result<Vec<_>>>()?.concat();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    Ok(Measured { rate: times.len() as f64 / elapsed, median: at(0.5), p99: at(0.99), most: at(1.0) })
}

fn connect(address: &str) -> Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    Ok(BufReader::new(stream))
}

fn get(address: &str, path: &str) -> Result<u16> {
    let mut connection = connect(address)?;
    write!(connection.get_mut(), "GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n")?;
    Ok(answer(&mut connection)?.0)
}

fn ask(connection: &mut BufReader<TcpStream>, address: &str, path: &str, body: &str) -> Result<(u16, Vec<u8>)> {
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.get_mut().write_all(request.as_bytes())?;
    answer(connection)
}

/// The status and the body of an answer whose length is stated.
fn answer(connection: &mut BufReader<TcpStream>) -> Result<(u16, Vec<u8>)> {
    let mut line = String::new();
    connection.read_line(&mut line)?;
    let status = line.get(9..12).ok_or("no answer")?.parse()?;
    let mut length = 0;
    loop {
        line.clear();
        connection.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse()?,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    connection.read_exact(&mut body)?;
    Ok((status, body))
}

/// Resident memory of a process in MB, where the system says so.
fn memory(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(f64::NAN) / 1024.0
}
