//! The pages over an engine that invents everything: `cargo run -p tradewind-serve --example look -- FOLDER PORT [empty|closed]`; `closed` asks for a token, which it
//! prints.

#[path = "../tests/common/fake.rs"]
mod fake;

use std::path::PathBuf;
use std::sync::Arc;

use tradewind_serve::{Fault, Kind, Limits, Role, Server, Settings, new_token};

fn main() -> Result<(), Fault> {
    let mut words = std::env::args().skip(1);
    let missing = || Fault::new(Kind::Invalid, "look FOLDER PORT [empty|closed]");
    let folder = PathBuf::from(words.next().ok_or_else(missing)?);
    let port: u16 = words.next().and_then(|port| port.parse().ok()).ok_or_else(missing)?;
    let how = words.next();
    let engine = if how.as_deref() == Some("empty") { fake::Fake::empty() } else { fake::Fake::default() };
    let settings = Settings {
        listen: ([127, 0, 0, 1], port).into(),
        store: folder.join("store.db").to_string_lossy().into_owned(),
        schema: "tradewind".into(),
        state: folder.join("state"),
        public_url: None,
        version: "0.0.0".into(),
        workers: 1,
        limits: Limits::default(),
    };
    if how.as_deref() == Some("closed") {
        for role in Role::ALL {
            println!("{} {}", role.name(), new_token(&settings.store, &settings.schema, role.name(), role, 1)?.1);
        }
    }
    let server = Server::open(settings, Arc::new(engine))?;
    println!("http://127.0.0.1:{port}");
    server.run()
}
