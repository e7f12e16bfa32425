//! What an import shows on the terminal.

use std::time::Duration;

use etl::import::{Progress, Report, Stage};
use indicatif::{ProgressBar, ProgressStyle};

/// A progress bar on a terminal; nothing elsewhere.
pub(super) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    pub(super) fn new(name: &str) -> Self {
        let bar = ProgressBar::new_spinner().with_prefix(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        bar.set_style(Self::style("{spinner} {prefix}: {msg}"));
        Self { bar }
    }

    fn style(template: &str) -> ProgressStyle {
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
    }

    /// Clears the bar.
    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn stage(&self, stage: Stage) {
        self.bar.set_message(match stage {
            Stage::Reading => "reading",
            Stage::Loading => "loading",
            Stage::Comparing => "comparing",
            Stage::Indexing => "indexing",
            Stage::Finishing => "finishing",
        });
        if stage == Stage::Indexing || stage == Stage::Comparing {
            self.bar.set_style(Self::style("{spinner} {prefix}: {msg} ({elapsed})"));
        }
    }

    fn rows(&self, done: u64, total: Option<u64>) {
        match total {
            Some(total) => {
                self.bar.set_length(total.max(done));
                self.bar.set_style(Self::style("{prefix}: {bar:30} {pos}/{len} rows ({per_sec}, {eta} left)"));
            }
            None => self.bar.set_style(Self::style("{spinner} {prefix}: {pos} rows ({per_sec})")),
        }
        self.bar.set_position(done);
    }
}

/// How many rejections the terminal shows; the JSON report lists more.
const SHOWN: usize = 10;

/// The report, for a person.
pub(super) fn print_report(report: &Report) {
    let what = if report.committed { "imported" } else { "NOT imported" };
    println!(
        "{}: {what} from {} ({}{}{}) in {:.1} s",
        report.layer,
        report.file,
        report.format,
        report.declared_crs.as_deref().filter(|crs| crs.len() < 30).map(|crs| format!(", {crs}")).unwrap_or_default(),
        report.encoding.as_deref().map(|encoding| format!(", {encoding}")).unwrap_or_default(),
        report.seconds
    );
    let mut counts = vec![format!("{} read", report.read)];
    for (count, what) in [
        (report.inserted, "added"),
        (report.updated, "updated"),
        (report.deleted, "deleted"),
        (report.unchanged, "unchanged"),
        (report.repaired, "repaired"),
        (report.rejected, "rejected"),
    ] {
        if count > 0 {
            counts.push(format!("{count} {what}"));
        }
    }
    println!("  {}", counts.join(", "));
    for (repair, count) in &report.repairs {
        println!("  repaired: {repair} ({count})");
    }
    for rejection in report.rejections.iter().take(SHOWN) {
        let field = rejection.field.as_deref().map(|field| format!("{field}: ")).unwrap_or_default();
        let value = rejection.value.as_deref().map(|value| format!(" ({value})")).unwrap_or_default();
        println!("  row {}: {field}{}{value}", rejection.row, rejection.reason);
    }
    if report.rejected > SHOWN as u64 {
        println!("  and {} more rejected rows: see --report and --rejects", report.rejected - SHOWN as u64);
    }
    for warning in &report.warnings {
        println!("  note: {warning}");
    }
    for missing in &report.confinement {
        println!("  the reading process was less confined than it should be: {missing}");
    }
}
