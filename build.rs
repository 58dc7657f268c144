//! Collects the documentation of our own public verbs, so that scripts and notebooks show the words that the library's
//! documentation has: one definition of what a verb does, for every surface.
//!
//! Writes `OUT_DIR/docs.rs`: pairs of a path and its text, sorted: `Panel::audit` for a verb, `Panel` for the noun itself,
//! `Lot.quantity` for a field.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use syn::{Attribute, Expr, ImplItem, Item, Lit, Meta, Type, Visibility};

fn main() {
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=Cargo.toml");
    println!("cargo::rerun-if-changed=Cargo.lock");
    println!("cargo::rerun-if-env-changed=XGBOOST_LIB_DIR");
    if let (Some(_), Ok(folder)) = (std::env::var_os("CARGO_FEATURE_XGBOOST"), std::env::var("XGBOOST_LIB_DIR")) {
        // Where the program finds the library when it runs.
        println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}");
    }
    println!("cargo::rustc-env=TRADEWIND_SOURCE={:016x}", source());
    let mut docs = BTreeMap::new();
    collect(Path::new("src"), &mut docs);
    let rows: String = docs.iter().map(|(path, text)| format!("({path:?}, {text:?}),\n")).collect();
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("docs.rs");
    std::fs::write(&out, format!("&[\n{rows}]\n")).expect("OUT_DIR can be written");
}

/// What tells this program from one of other code, other dependencies or other features: runs that were stopped go on in
/// the same program alone.
fn source() -> u64 {
    let mut files = Vec::new();
    below(Path::new("src"), &mut files);
    files.extend([PathBuf::from("Cargo.toml"), PathBuf::from("Cargo.lock")]);
    files.sort();
    let mut hasher = std::hash::DefaultHasher::new();
    for file in files {
        // A package that is a dependency has no lock file.
        std::fs::read(&file).unwrap_or_default().hash(&mut hasher);
    }
    let mut features: Vec<String> =
        std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("CARGO_FEATURE_")).collect();
    features.sort();
    features.hash(&mut hasher);
    hasher.finish()
}

fn below(folder: &Path, files: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(folder).expect("src can be read").map(|entry| entry.expect("src can be read").path())
    {
        if path.is_dir() { below(&path, files) } else { files.push(path) }
    }
}

/// Every file below a folder. A file that does not parse is left to the compiler, which says it better.
fn collect(folder: &Path, docs: &mut BTreeMap<String, String>) {
    let entries = std::fs::read_dir(folder).expect("src can be read");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("src can be read").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, docs);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && let Ok(file) = syn::parse_file(&std::fs::read_to_string(&path).expect("a source file can be read"))
        {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            // Two rooms may have a noun of one name, of which only one is for users.
            let hidden: Vec<String> = file.items.iter().filter_map(hidden).collect();
            let shown = |item: &&Item| verbs_of(item).is_none_or(|noun| !hidden.contains(&noun));
            file.items.iter().filter(shown).for_each(|item| of_item(item, &name, docs));
        }
    }
}

/// The name of a noun that is not public.
fn hidden(item: &Item) -> Option<String> {
    let (name, visibility) = match item {
        Item::Struct(noun) => (&noun.ident, &noun.vis),
        Item::Enum(noun) => (&noun.ident, &noun.vis),
        _ => return None,
    };
    (!matches!(visibility, Visibility::Public(_))).then(|| name.to_string())
}

/// The noun whose verbs a block has, if it is one.
fn verbs_of(item: &Item) -> Option<String> {
    match item {
        Item::Impl(block) if block.trait_.is_none() => match &*block.self_ty {
            Type::Path(noun) => Some(noun.path.segments.last()?.ident.to_string()),
            _ => None,
        },
        _ => None,
    }
}

fn of_item(item: &Item, file: &str, docs: &mut BTreeMap<String, String>) {
    match item {
        Item::Struct(noun) => {
            keep(noun.ident.to_string(), &noun.vis, &noun.attrs, docs);
            if matches!(noun.vis, Visibility::Public(_)) {
                for field in &noun.fields {
                    let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
                    keep(format!("{}.{name}", noun.ident), &field.vis, &field.attrs, docs);
                }
            }
        }
        Item::Enum(noun) => keep(noun.ident.to_string(), &noun.vis, &noun.attrs, docs),
        Item::Fn(function) => {
            // Functions of several files may have one name: `summary::mean` tells them apart.
            for path in [function.sig.ident.to_string(), format!("{file}::{}", function.sig.ident)] {
                keep(path, &function.vis, &function.attrs, docs);
            }
        }
        Item::Impl(block) => {
            let Some(noun) = verbs_of(item) else { return };
            for item in &block.items {
                if let ImplItem::Fn(verb) = item {
                    keep(format!("{noun}::{}", verb.sig.ident), &verb.vis, &verb.attrs, docs);
                }
            }
        }
        _ => {}
    }
}

fn keep(path: String, visibility: &Visibility, attributes: &[Attribute], docs: &mut BTreeMap<String, String>) {
    let text = words(attributes);
    if matches!(visibility, Visibility::Public(_)) && !text.is_empty() {
        docs.insert(path, text);
    }
}

/// The paragraphs of a doc comment before its examples: what it is, and what can go wrong.
fn words(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    let (mut text, mut code) = (String::new(), false);
    for line in lines.flat_map(|line| line.lines().map(str::to_string).collect::<Vec<_>>().into_iter().chain(None)) {
        let line = line.trim();
        if line.starts_with("```") {
            code = !code;
        } else if !code {
            let line = line.strip_prefix("# ").map_or_else(|| line.to_string(), |heading| format!("{heading}:"));
            text.push_str(&without_links(&line));
            text.push('\n');
        }
    }
    let paragraphs = text.split("\n\n").map(|paragraph| paragraph.trim().replace('\n', " "));
    let text = paragraphs.filter(|paragraph| !paragraph.is_empty()).collect::<Vec<_>>().join("\n\n");
    text.replace("Errors:\n\n", "Errors: ")
}

/// ``[`Fits::failures`]`` and `[paths](Self::paths)` without their brackets and targets.
fn without_links(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(open) = rest.find('[') {
        let Some(close) = rest[open..].find(']').map(|close| open + close) else { break };
        let after = &rest[close + 1..];
        let linked = after.starts_with('(');
        let inner = &rest[open + 1..close];
        text.push_str(&rest[..open]);
        rest = match linked.then(|| after.find(')')).flatten() {
            Some(end) => {
                text.push_str(inner);
                &after[end + 1..]
            }
            None if inner.starts_with('`') => {
                text.push_str(inner);
                after
            }
            None => {
                text.push_str(&rest[open..=close]);
                after
            }
        };
    }
    text + rest
}
