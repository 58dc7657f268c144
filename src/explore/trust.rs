//! What does a question cost? In a session, each is paid for out of a purse (α-investing), so that asking many does not make
//! a finding of chance.

use crate::panel::Panel;
use crate::show::words::{counted, p_value};
use crate::show::{Finding, number};
use crate::statistics::{Session, benjamini_yekutieli};

/// The finding with a word on whether it stands in this session, if it claims anything.
pub(super) fn paid(panel: &Panel, question: &str, finding: Finding) -> Finding {
    if finding.claims().is_empty() {
        return finding;
    }
    let all: Vec<f64> = finding.claims().iter().map(|claim| claim.p).collect();
    let p = benjamini_yekutieli(&all).into_iter().fold(1.0, f64::min);
    let asked = |session: &mut Session| session.ask(question, p);
    // A thread that panicked while it asked has left nothing half done.
    let mut session = panel.inner().origin.session.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let ((level, stands), purse) = asked(&mut session);
    let all = if all.len() > 1 { format!(" over its {} hypotheses", number(all.len() as f64)) } else { String::new() };
    let verdict = if stands { "it stands" } else { "it does not stand by itself" };
    finding.sure_by(format!(
        "{}{all}; after {} of this session, tested at {}, {verdict}; the purse holds {}.",
        p_value(p),
        counted(purse.asked(), "question", "questions"),
        number((level * 1e4).round() / 1e4),
        number((purse.wealth() * 1e4).round() / 1e4),
    ))
}
