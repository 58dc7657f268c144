//! The README, the manual and the reports: every link leads to a file, every command and script runs, every name is described.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(ROOT).join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

// ------------------------------------------------------------------------------------------------ the blocks of a page

/// A fenced block of a page.
struct Block {
    /// Line of its first line of text, from 1.
    line: usize,
    language: String,
    text: String,
    /// What the comment directly above it says.
    note: Option<String>,
}

impl Block {
    /// Why it is not run.
    fn not_run(&self) -> Option<&str> {
        self.note.as_deref().and_then(|note| note.strip_prefix("not run: "))
    }

    /// The feature of the build that it needs, where this build lacks it.
    fn lacks(&self) -> Option<&str> {
        let feature = self.note.as_deref()?.strip_prefix("needs: ")?;
        let there = match feature {
            "serve" => cfg!(feature = "serve"),
            "sql" => cfg!(feature = "sql"),
            "monitor" => cfg!(feature = "monitor"),
            "track" => cfg!(feature = "track"),
            "lstm" => cfg!(feature = "lstm"),
            "pdf" => cfg!(feature = "pdf"),
            "xgboost" => cfg!(feature = "xgboost"),
            other => panic!("line {}: there is no feature `{other}` to need", self.line),
        };
        (!there).then_some(feature)
    }
}

/// The blocks of a Markdown text, and its lines without them.
fn parts(text: &str) -> (Vec<Block>, Vec<&str>) {
    let (mut blocks, mut prose) = (Vec::<Block>::new(), Vec::new());
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        match line.trim_start().strip_prefix("```") {
            Some(_) if inside => inside = false,
            Some(info) => {
                let comment = prose.last().and_then(|line: &&str| line.strip_prefix("<!--")?.strip_suffix("-->"));
                blocks.push(Block {
                    line: number + 2,
                    language: info.split(',').next().unwrap_or_default().to_string(),
                    text: String::new(),
                    note: comment.map(|note| note.trim().to_string()),
                });
                inside = true;
            }
            None if inside => {
                let block = blocks.last_mut().unwrap();
                block.text += line;
                block.text += "\n";
            }
            None => prose.push(line),
        }
    }
    (blocks, prose)
}

// ------------------------------------------------------------------------------------------------ what a page does

macro_rules! pages {
    ($($test:ident $page:literal)*) => {
        /// The pages whose blocks are run, each by a test of its own.
        const PAGES: &[&str] = &[$($page),*];
        $(
            #[test]
            fn $test() {
                run($page);
            }
        )*
    };
}

pages! {
    readme "README.md"
    contributing "CONTRIBUTING.md"
    manual "docs/README.md"
    calendars "docs/calendars.md"
    command_line "docs/command-line.md"
    data "docs/data.md"
    decide "docs/decide.md"
    deploy "docs/deploy.md"
    evaluation "docs/evaluation.md"
    exploring "docs/exploring.md"
    features "docs/features.md"
    glossary "docs/glossary.md"
    installing "docs/installing.md"
    library "docs/library.md"
    limits "docs/limits.md"
    models "docs/models.md"
    monitoring "docs/monitoring.md"
    notebooks "docs/notebooks.md"
    operate "docs/operate.md"
    overrides "docs/overrides.md"
    reconcile "docs/reconcile.md"
    reports "docs/reports.md"
    sandbox "docs/sandbox.md"
    scale "docs/scale.md"
    scripts "docs/scripts.md"
    security "docs/security.md"
    serve "docs/serve.md"
    tuning "docs/tuning.md"
}

/// The shell blocks and notebook cells that no test can run, by page.
const NOT_RUN: &[(&str, &str)] = &[
    ("README.md", "it compiles the program"),
    ("CONTRIBUTING.md", "it compiles the program"),
    ("CONTRIBUTING.md", "it compiles the program and runs all tests"),
    ("CONTRIBUTING.md", "it needs the whole checkout"),
    ("docs/deploy.md", "it is a server that goes on"),
    ("docs/deploy.md", "it changes the system"),
    ("docs/deploy.md", "it needs Docker"),
    ("docs/deploy.md", "it needs Docker"),
    ("docs/deploy.md", "it needs a cluster"),
    ("docs/installing.md", "it compiles the program"),
    ("docs/installing.md", "it needs the wheel"),
    ("docs/installing.md", "it compiles the program"),
    ("docs/installing.md", "it compiles the program and downloads XGBoost"),
    ("docs/notebooks.md", "it builds the kernels and opens JupyterLab"),
    ("docs/notebooks.md", "it writes into your home folder"),
    ("docs/sandbox.md", "it needs Docker"),
    ("docs/scale.md", "it needs a program that writes Arrow"),
    ("docs/scripts.md", "a prompt"),
];

/// Runs the scripts of a page as one, then its commands one block after the other, in a folder that holds the bundled data, the
/// scripts, and the files that the page names as the reader's own.
fn run(page: &str) {
    let text = read(page);
    let (blocks, _) = parts(&text);
    let folder = tempfile::tempdir().unwrap();
    for from in ["data", "scripts"] {
        let to = folder.path().join(from);
        std::fs::create_dir(&to).unwrap();
        for entry in std::fs::read_dir(Path::new(ROOT).join(from)).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
    if page == "docs/data.md" {
        files_of_the_reader(folder.path());
    }
    let (mut script, mut commands, mut lacking) = (String::new(), Vec::new(), BTreeSet::new());
    for block in blocks.iter().filter(|block| block.not_run().is_none()) {
        if let Some(feature) = block.lacks() {
            lacking.insert(feature.to_string());
            continue;
        }
        match block.language.as_str() {
            "js" | "rhai" => {
                // An error then names the line of the page.
                script.extend(std::iter::repeat_n('\n', block.line - 1 - script.lines().count()));
                script += &block.text;
            }
            "sh" => commands.push(block),
            "rs" => assert!(cells().contains(block.text.trim()), "{page}:{}: no cell of a notebook", block.line),
            "rust" => {
                assert!(read("src/lib.rs").contains(&format!("\"../{page}\"")), "src/lib.rs does not include {page}")
            }
            "toml" | "text" => {}
            other => panic!("{page}:{}: what language is `{other}`?", block.line),
        }
    }
    if !script.is_empty() {
        std::fs::write(folder.path().join("page.rhai"), script).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_tradewind"))
            .args(["script", "page.rhai"])
            .current_dir(folder.path())
            .output();
        succeeded(page, &output.unwrap());
    }
    for block in commands {
        shell(&format!("{page}:{}", block.line), &block.text, folder.path());
    }
    if !lacking.is_empty() {
        let features: Vec<_> = lacking.into_iter().collect();
        crate::skipped(&format!("examples of {page}"), &format!("built without {}", features.join(" and ")));
    }
}

/// Runs a block of commands until one fails; `tradewind` is the program that was built for the tests.
fn shell(place: &str, text: &str, folder: &Path) {
    if !cfg!(unix) {
        return;
    }
    let program = Path::new(env!("CARGO_BIN_EXE_tradewind")).parent().unwrap();
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let path =
        std::env::join_paths(std::iter::once(program.to_path_buf()).chain(std::env::split_paths(&paths))).unwrap();
    let command =
        Command::new("sh").args(["-euc", text]).current_dir(folder).env("PATH", path).stdin(Stdio::null()).output();
    succeeded(place, &command.unwrap());
}

fn succeeded(place: &str, output: &Output) {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{place}: {}\n{out}\n{err}", output.status);
    assert!(!out.contains("NaN") && !err.contains("panicked"), "{place}:\n{out}\n{err}");
}

/// The sources of all code cells of the committed notebooks.
fn cells() -> BTreeSet<String> {
    let mut cells = BTreeSet::new();
    for entry in std::fs::read_dir(Path::new(ROOT).join("notebooks")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "ipynb") {
            continue;
        }
        let notebook: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for cell in notebook["cells"].as_array().unwrap().iter().filter(|cell| cell["cell_type"] == "code") {
            let lines = cell["source"].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
            cells.insert(lines.collect::<String>().trim().to_string());
        }
    }
    cells
}

/// Two shops: daily sales as packed files, as a workbook and as a database, and the journal of a till.
fn files_of_the_reader(folder: &Path) {
    let (mut days, mut tills) = (BTreeMap::<u32, String>::new(), "shop,at,amount\n".to_string());
    for month in 1..=6_u32 {
        for day in 1..=28_u32 {
            for (shop, base) in [("north", 40), ("south", 25)] {
                let sold = base + (month * 28 + day) % 7 * 3 + day % 5;
                let year = 2024 + month / 4;
                let sales = days.entry(year).or_insert_with(|| "shop,day,sold\n".into());
                *sales += &format!("{shop},{year}-{month:02}-{day:02},{sold}\n");
                tills += &format!("{shop},2024-{month:02}-{day:02} 10:15:00,{sold}.50\n");
                tills += &format!("{shop},2024-{month:02}-{day:02} 16:40:30,{day}.25\n");
            }
        }
    }
    std::fs::create_dir(folder.join("exports")).unwrap();
    for (year, sales) in &days {
        let file = std::fs::File::create(folder.join(format!("exports/{year}.csv.gz"))).unwrap();
        let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        packed.write_all(sales.as_bytes()).unwrap();
        packed.finish().unwrap();
    }
    std::fs::write(folder.join("tills.csv"), tills).unwrap();
    std::fs::copy(Path::new(ROOT).join("tests/files/shops.xlsx"), folder.join("sales.xlsx")).unwrap();
    #[cfg(feature = "sql")]
    {
        let database = rusqlite::Connection::open(folder.join("shop.sqlite")).unwrap();
        database.execute_batch("create table sales (shop text, day text, sold real);").unwrap();
        for row in days[&2024].lines().skip(1) {
            let cells: Vec<&str> = row.split(',').collect();
            database.execute("insert into sales values (?1, ?2, ?3)", (cells[0], cells[1], cells[2])).unwrap();
        }
    }
}

#[test]
fn every_page_is_run_and_what_is_not_is_named() {
    let mut pages: Vec<String> = vec!["README.md".into(), "CONTRIBUTING.md".into()];
    for entry in std::fs::read_dir(Path::new(ROOT).join("docs")).unwrap() {
        pages.push(format!("docs/{}", entry.unwrap().file_name().to_string_lossy()));
    }
    pages[2..].sort();
    assert_eq!(PAGES, pages, "a page of docs/ has a test, and the other way round");
    let (mut not_run, index) = (Vec::new(), read("docs/README.md"));
    for page in &pages {
        let text = read(page);
        for block in parts(&text).0 {
            if let Some(why) = block.not_run() {
                not_run.push((page.clone(), why.to_string()));
            }
        }
        let name = page.strip_prefix("docs/").filter(|name| *name != "README.md");
        assert!(name.is_none_or(|name| index.contains(&format!("]({name})"))), "docs/README.md does not list {page}");
    }
    let named: Vec<_> = NOT_RUN.iter().map(|(page, why)| (page.to_string(), why.to_string())).collect();
    assert_eq!(not_run, named);
    assert!(read("README.md").lines().count() <= 130, "the README is a front page: what is more belongs to docs/");
}

// ------------------------------------------------------------------------------------------------ links

/// The files that git tracks; none outside a checkout.
fn tracked() -> Option<BTreeSet<String>> {
    let output = Command::new("git").args(["ls-files", "-z"]).current_dir(ROOT).output().ok()?;
    let names = String::from_utf8(output.stdout).ok()?;
    let names: BTreeSet<String> = names.split('\0').filter(|name| !name.is_empty()).map(Into::into).collect();
    (output.status.success() && !names.is_empty()).then_some(names)
}

/// Is there such a file, or a folder with such files?
fn is_there(files: &BTreeSet<String>, path: &str) -> bool {
    let folder = format!("{path}/");
    path.is_empty()
        || files.contains(path)
        || files.range(folder.clone()..).next().is_some_and(|name| name.starts_with(&folder))
}

/// A line without its code spans, and these.
fn spans(line: &str) -> (String, Vec<&str>) {
    let pieces: Vec<&str> = line.split('`').collect();
    let plain = pieces.iter().step_by(2).copied().collect();
    (plain, pieces.into_iter().skip(1).step_by(2).collect())
}

/// Where the links and pictures of a text lead.
fn targets(text: &str) -> Vec<String> {
    let (_, prose) = parts(text);
    let mut found = Vec::new();
    for line in prose {
        let (plain, _) = spans(line);
        for (opening, closing) in [("](", ')'), ("src=\"", '"'), ("href=\"", '"')] {
            for rest in plain.split(opening).skip(1) {
                let target = rest.split(closing).next().unwrap_or_default();
                // A title may follow the address.
                found
                    .extend(target.split_whitespace().next().map(|target| target.trim_matches(['<', '>']).to_string()));
            }
        }
    }
    found
}

/// The anchors of the headings of a Markdown text, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let (_, prose) = parts(text);
    let mut seen = BTreeMap::<String, usize>::new();
    let headings = prose.iter().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            // A link's address is no part of the title.
            let mut pieces = title.split("](");
            let first = pieces.next().unwrap_or_default().to_string();
            let title =
                pieces.fold(first, |title, piece| title + piece.split_once(')').map_or(piece, |(_, rest)| rest));
            let kept = title.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c));
            let slug: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
            let times = seen.entry(slug.clone()).and_modify(|times| *times += 1).or_insert(0);
            if *times == 0 { slug } else { format!("{slug}-{times}") }
        })
        .collect()
}

/// A path relative to a file, from the root.
fn from_root(file: &str, target: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[test]
fn every_link_leads_to_a_tracked_file() {
    let Some(files) = tracked() else {
        return crate::skipped("links of the documentation", "not a git checkout");
    };
    let mut wrong = Vec::new();
    let mut seen = 0;
    for page in files.iter().filter(|name| name.ends_with(".md")) {
        let text = read(page);
        for target in targets(&text) {
            let scheme =
                target.split(':').next().is_some_and(|scheme| scheme.len() < target.len() && !scheme.contains('/'));
            if scheme {
                continue;
            }
            seen += 1;
            let (path, anchor) =
                target.split_once('#').map_or((target.as_str(), None), |(path, anchor)| (path, Some(anchor)));
            let path = if path.is_empty() { page.clone() } else { from_root(page, path) };
            if !is_there(&files, &path) {
                wrong.push(format!("{page}: {target}: git tracks no such file"));
            } else if let Some(anchor) = anchor {
                let there = match path.rsplit('.').next() {
                    Some("md") => anchors(&read(&path)).contains(anchor),
                    Some("html") => read(&path).contains(&format!("id=\"{anchor}\"")),
                    _ => false,
                };
                if !there {
                    wrong.push(format!("{page}: {target}: no such heading"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 100, "only {seen} links were found");
}

/// Paths of the repository that prose names in code spans exist.
#[test]
fn every_path_that_is_named_exists() {
    let Some(files) = tracked() else {
        return crate::skipped("paths in the documentation", "not a git checkout");
    };
    let rooms = ["benches", "data", "docs", "fuzz", "notebooks", "scripts", "setup", "src", "tests"];
    let mut wrong = Vec::new();
    for page in PAGES.iter().chain(&["DESIGN.md", "CHANGELOG.md", "setup/README.md"]) {
        let text = read(page);
        for line in parts(&text).1 {
            for path in spans(line).1 {
                let plain = path.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
                let ours = path.split_once('/').is_some_and(|(room, _)| rooms.contains(&room));
                if plain && ours && !is_there(&files, path.trim_end_matches('/')) {
                    wrong.push(format!("{page}: {path}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn headings_and_links_are_found_as_github_makes_them() {
    let text =
        "# A `b_c` [d](e.md): f (g) …?\n## Same\n```sh\n# no heading [x](y)\n```\n## Same\n![p](q.svg \"r\") `[s](t)`";
    assert_eq!(anchors(text), ["a-b_c-d-f-g-", "same", "same-1"].map(String::from).into());
    assert_eq!(targets(text), ["e.md", "q.svg"]);
    assert_eq!(from_root("a/b/c.md", "../d/./e.md"), "a/d/e.md");
    let (blocks, _) = parts("<!-- not run: why -->\n```sh\nmake\n```\n\n```rust,no_run\nx\n```");
    assert_eq!((blocks[0].not_run(), blocks[0].line, blocks[0].text.as_str()), (Some("why"), 3, "make\n"));
    assert_eq!((blocks[1].language.as_str(), blocks[1].not_run()), ("rust", None));
}

// ------------------------------------------------------------------------------------------------ names

/// Whatever can be named in a label is described in the manual, with the defaults that a plan has.
#[test]
fn the_manual_knows_every_name() {
    let lists = [
        ("docs/models.md", tradewind::models::MODELS.iter().map(|model| model.name).collect::<Vec<_>>()),
        ("docs/exploring.md", tradewind::explore::QUESTIONS.iter().map(|question| question.name).collect()),
        ("docs/features.md", tradewind::panel::FEATURES.iter().map(|feature| feature.name).collect()),
        ("docs/evaluation.md", tradewind::metrics::METRICS.iter().map(|metric| metric.name).collect()),
    ];
    for (page, names) in lists {
        let text = read(page);
        for name in names {
            assert!(
                [format!("`{name}`"), format!("`{name}(")].iter().any(|span| text.contains(span)),
                "{page} lacks `{name}`"
            );
        }
    }
    let plan = tradewind::prelude::Plan::default();
    let text = read("docs/command-line.md");
    for (field, value) in [
        ("time", format!("detected; `{}` for a query", plan.time)),
        ("target", format!("detected; `{}` for a query", plan.target)),
        ("horizon", plan.horizon.to_string()),
        ("folds", plan.folds.to_string()),
        ("gap", plan.gap.to_string()),
        ("levels", format!("`{}`", plan.levels.names().join(", "))),
        ("metric", format!("`{}`", plan.metric)),
        ("seed", plan.seed.to_string()),
        ("title", format!("`{}`", plan.title)),
    ] {
        assert!(text.contains(&format!("| `{field}` | {value} |")), "docs/command-line.md: `{field}` is {value}");
    }
}

/// The decimal numbers of a text, as they are written.
fn decimals(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| !c.is_ascii_digit() && c != '.').map(|word| word.trim_matches('.'));
    words.filter(|word| word.contains('.')).collect()
}

/// What the front page says of accuracy is what the reports say, rounded.
#[test]
fn the_front_page_says_what_the_reports_say() {
    let text = read("README.md");
    assert!(
        text.contains(&format!("among {} models", tradewind::models::MODELS.iter().count())),
        "README.md: how many models there are"
    );
    let reports =
        ["auto", "classical", "fev", "learned"].map(|name| read(&format!("reports/accuracy/{name}.md"))).join("\n");
    let measured: Vec<f64> = decimals(&reports).iter().filter_map(|word| word.parse().ok()).collect();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ") && line.contains(" ms |")).collect();
    assert!(rows.len() > 10, "README.md: only {} rows of figures", rows.len());
    for row in rows {
        let cells: Vec<&str> = row.split('|').collect();
        for word in [cells[3], cells[4]].into_iter().flat_map(decimals) {
            let places = word.len() - word.find('.').unwrap() - 1;
            let there = measured.iter().any(|value| format!("{value:.places$}") == word);
            assert!(there, "README.md: {word} is in no report of reports/accuracy/: {row}");
        }
    }
}
