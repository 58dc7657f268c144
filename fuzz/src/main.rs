//! Arbitrary bytes as a sales file of every kind: read, audited and cleaned, or refused in words. `setup/fuzz` runs it.
#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tradewind::prelude::*;

/// A folder of its own for each process, in memory where there is such.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = PathBuf::from("/dev/shm");
    let base = if memory.is_dir() { memory } else { std::env::temp_dir() };
    let folder = base.join(format!("tradewind-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for the files");
    folder
});

const KINDS: [&str; 7] = ["any.csv", "any.ndjson", "any.json", "any.parquet", "any.xlsx", "any.ods", "any.tsv"];

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else { return };
    let path = FOLDER.join(KINDS[usize::from(*kind) % KINDS.len()]);
    std::fs::write(&path, bytes).expect("the file is written");
    let columns = Columns::new(["id"], "ds", "y").known(["x"]);
    let reading = if kind & 64 == 0 { Reading::default() } else { Reading { per: Some("D".into()), ..Reading::default() } };
    let panel = Panel::read_as(&path, columns, &reading).or_else(|_| Panel::read(&path, Columns::new([""; 0], "ds", "y")));
    let Ok(panel) = panel else { return };
    // Filling a year of gaps between two stamps is what was asked for: small panels only.
    let audit = panel.audit().expect("what was read can be audited");
    assert!(!audit.sentence().is_empty());
    if audit.count("gaps") < 10_000 {
        let policy = "duplicates=sum, gaps=fill, missing=seasonal, negatives=apart, outliers=clip, stockouts=missing";
        if let Ok(cleaned) = panel.clean(&Clean::parse(policy).expect("a policy")) {
            let after = cleaned.audit().expect("what was cleaned can be audited");
            assert_eq!(after.count("duplicates") + after.count("negative") + after.count("gaps"), 0);
        }
    }
});
