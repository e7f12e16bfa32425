//! Every file that the project shares as test data is imported or refused
//! with a message; none crashes the reader, hangs or leaves half a layer.
//!
//! The data lie beside the project, or where `LINDERO_SHARED_DATA` says;
//! without them the test reports itself skipped. With
//! `LINDERO_WRITE_OUTCOMES=1` it writes the page of the outcomes.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use access::Caller;
use etl::import::{ImportError, Report, known_municipality};
use futures::StreamExt;
use support::World;

fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("LINDERO_SHARED_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    folder.is_dir().then_some(folder)
}

/// The files to import, of a Shapefile or MapInfo set the main one.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let has = |path: &Path, extension: &str| {
        entries.iter().any(|other| {
            other.file_stem() == path.file_stem()
                && other.extension().is_some_and(|e| e.eq_ignore_ascii_case(extension))
        })
    };
    for path in &entries {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        let part = match extension.as_str() {
            "md" | "cpg" | "prj" | "shx" | "qpj" | "sbn" | "sbx" => true,
            "dbf" => has(path, "shp"),
            "mid" => has(path, "mif"),
            _ => false,
        };
        if path.is_dir() {
            files(path, found);
        } else if !part {
            found.push(path.clone());
        }
    }
}

/// One line of the page.
fn told(outcome: &Result<Report, ImportError>) -> (&'static str, String) {
    match outcome {
        Ok(report) => {
            let mut text = format!("{} {}", report.inserted, report.geometry_type.as_deref().unwrap_or_default());
            if let Some(crs) = report.declared_crs.as_deref().filter(|crs| crs.len() < 20) {
                let _ = write!(text, ", {crs}");
            }
            if let Some(encoding) = &report.encoding {
                let _ = write!(text, ", {encoding}");
            }
            if report.repaired > 0 {
                let _ = write!(text, "; {} repaired", report.repaired);
            }
            for warning in report.warnings.iter().take(2) {
                let _ = write!(text, "; {warning}");
            }
            ("imported", text)
        }
        Err(error @ ImportError::TooManyRejects { report, .. }) => {
            let first = report.rejections.first().map(|r| format!("; row {}: {}", r.row, r.reason)).unwrap_or_default();
            ("rejected", format!("{}{first}", error.to_string().split(':').next().unwrap_or_default()))
        }
        Err(error) => ("refused", error.to_string().replace('\n', " · ")),
    }
}

#[tokio::test]
async fn every_shared_file_has_an_outcome() {
    let Some(folder) = data() else {
        eprintln!("skipped: the shared data are not on this machine");
        return;
    };
    let world = World::new().await;
    let cucuta = known_municipality(&"54001".parse().unwrap()).unwrap();
    layers::municipality::put(&Caller::OPERATOR, world.db(), &cucuta).await.unwrap();
    let mut found = Vec::new();
    files(&folder, &mut found);
    assert!(found.len() > 100, "the shared data are there but not whole");

    let mut lines: BTreeMap<(String, String, String), Vec<String>> = BTreeMap::new();
    let mut bad = Vec::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let world = &world;
    let imports = found.iter().enumerate().map(|(number, file)| {
        let name = file.strip_prefix(&folder).unwrap().display().to_string();
        let mut request = world.request_for(file, &format!("capa_{number}"));
        let code = if name.contains("cucuta") { "54001" } else { "73001" };
        request.municipality = Some(code.parse().unwrap());
        request.limits.wall_seconds = 120;
        async move { (name, world.import(&request).await) }
    });
    let mut outcomes = futures::stream::iter(imports).buffer_unordered(3);
    while let Some((name, outcome)) = outcomes.next().await {
        if let Err(error @ (ImportError::Reader(_) | ImportError::Database(_) | ImportError::Io { .. })) = &outcome {
            bad.push(format!("{name}: {error}"));
        }
        let (kind, text) = told(&outcome);
        *counts.entry(kind).or_default() += 1;
        let (group, leaf) = name.rsplit_once('/').unwrap_or(("", &name));
        let mut text = text.replace(leaf, "the file").replace('|', "\\|");
        if let Some((end, _)) = text.char_indices().nth(240) {
            text.truncate(end);
            text.push('…');
        }
        // Numbered fixtures are one group.
        let group = group.trim_end_matches(|c: char| c.is_ascii_digit());
        lines.entry((group.to_owned(), kind.to_owned(), text)).or_default().push(leaf.to_owned());
    }
    let layers = layers::catalog::list(&Caller::OPERATOR, world.db()).await.unwrap();
    assert_eq!(world.leftovers().await.len(), layers.len(), "a table without a layer is half a layer");
    assert!(bad.is_empty(), "crashes, hangs or failures of ours:\n{}", bad.join("\n"));

    if std::env::var_os("LINDERO_WRITE_OUTCOMES").is_some() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/operator/data-outcomes.md");
        std::fs::write(page, self::page(&lines, &counts)).unwrap();
    }
}

fn page(lines: &BTreeMap<(String, String, String), Vec<String>>, counts: &BTreeMap<&str, usize>) -> String {
    let total: usize = counts.values().sum();
    let count = |kind: &str| counts.get(kind).copied().unwrap_or(0);
    let mut page = format!(
        "# What became of {total} awkward files\n\n\
         `lindero import` with no option but `--municipality`, file by file, over real Colombian data and the test \
         files of other projects (damaged ones among them). {} were imported; {} were refused as a whole, each with the \
         message below; of {} some rows were rejected, so that nothing was imported: `--max-rejects` accepts that loss, \
         `--rejects` writes those rows to a file. None crashed the server, hung, or left half a layer. Most of the \
         refused ones lie in other countries or say no coordinate system: `--allow-outside` and `--crs` take them.\n\n\
         This page is written by the test `import_outcomes` (`LINDERO_WRITE_OUTCOMES=1`); the files are not part of \
         Lindero.\n",
        count("imported"),
        count("refused"),
        count("rejected"),
    );
    let mut group = None;
    for ((folder, kind, text), files) in lines {
        if group != Some(folder) {
            let _ = write!(page, "\n## {folder}\n\n| Files | Outcome | |\n| --- | --- | --- |\n");
            group = Some(folder);
        }
        let names =
            if files.len() > 6 { format!("{} files, such as {}", files.len(), files[0]) } else { files.join(", ") };
        let _ = writeln!(page, "| {names} | {kind} | {text} |");
    }
    page
}
