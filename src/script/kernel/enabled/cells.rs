//! What each request of a notebook is answered with.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use jupyter_protocol::{
    CodeMirrorMode, CommInfoReply, CompleteReply, ErrorOutput, ExecuteInput, ExecuteReply, ExecuteRequest,
    ExecuteResult, ExecutionCount, ExpressionResult, HelpLink, HistoryEntry, HistoryReply, HistoryRequest,
    InspectReply, IsCompleteReply, JupyterMessage, JupyterMessageContent, KernelInfoReply, LanguageInfo, Media,
    MediaType, ReplyError, ReplyStatus, Transient,
};
use tokio::sync::oneshot;

use super::desk::{Desk, Notebook, media};
use crate::error::Result;
use crate::job;
use crate::script::failure::Failure;
use crate::script::session::{Completeness, Session, Settings};

/// A request, and where its answer goes; none for one that is not answered.
pub(super) struct Job {
    pub(super) request: JupyterMessage,
    pub(super) reply: oneshot::Sender<Option<JupyterMessageContent>>,
}

/// The cells of one notebook.
pub(super) struct Cells {
    session: Session,
    desk: Arc<Desk>,
    count: usize,
    /// What was run.
    history: Vec<Past>,
}

/// A cell that was run.
struct Past {
    number: usize,
    code: String,
    /// What it gave, as text.
    output: String,
}

impl Cells {
    pub(super) fn new(settings: &Settings, desk: Arc<Desk>) -> Result<Self> {
        let session = Session::new(settings, Notebook(desk.clone()))?;
        Ok(Self { session, desk, count: 0, history: Vec::new() })
    }

    /// Answers requests until there are no more.
    pub(super) fn serve(mut self, jobs: Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            let answer = self.answer(&job.request);
            // Nobody waits when the kernel is about to end.
            let _ = job.reply.send(answer);
        }
    }

    fn answer(&mut self, request: &JupyterMessage) -> Option<JupyterMessageContent> {
        Some(match &request.content {
            JupyterMessageContent::KernelInfoRequest(_) => kernel_info(),
            JupyterMessageContent::ExecuteRequest(asked) => self.execute(request, asked).into(),
            JupyterMessageContent::CompleteRequest(asked) => {
                let found = self.session.complete(&asked.code, asked.cursor_pos);
                let (cursor_start, cursor_end) = (found.start, found.end);
                CompleteReply { matches: found.matches, cursor_start, cursor_end, ..CompleteReply::default() }.into()
            }
            JupyterMessageContent::InspectRequest(asked) => match self.session.inspect(&asked.code, asked.cursor_pos) {
                Some(block) => {
                    let forms = vec![MediaType::Plain(block.to_text()), MediaType::Html(block.to_html())];
                    InspectReply { found: true, data: Media::new(forms), ..InspectReply::default() }.into()
                }
                None => InspectReply::default().into(),
            },
            JupyterMessageContent::IsCompleteRequest(asked) => match self.session.is_complete(&asked.code) {
                Completeness::Complete => IsCompleteReply::complete(),
                Completeness::Incomplete => IsCompleteReply::incomplete("    ".into()),
                Completeness::Invalid => IsCompleteReply::invalid(),
            }
            .into(),
            JupyterMessageContent::HistoryRequest(asked) => HistoryReply::new(self.recalled(asked)).into(),
            JupyterMessageContent::CommInfoRequest(_) => {
                CommInfoReply { status: ReplyStatus::Ok, comms: HashMap::new(), error: None }.into()
            }
            _ => return None,
        })
    }

    fn execute(&mut self, request: &JupyterMessage, asked: &ExecuteRequest) -> ExecuteReply {
        let counted = !asked.silent && asked.store_history && !asked.code.trim().is_empty();
        if counted {
            self.count += 1;
            self.history.push(Past { number: self.count, code: asked.code.clone(), output: String::new() });
        }
        let execution_count = ExecutionCount::new(self.count);
        self.desk.begin(request, asked.silent, asked.allow_stdin);
        self.desk.send(ExecuteInput { code: asked.code.clone(), execution_count });
        job::Job::current().resume();
        let ran = self.session.run(&format!("cell {}", self.count), &asked.code);
        let reply = match ran {
            Ok(value) => {
                if !value.is_empty() {
                    if let Some(past) = self.history.last_mut().filter(|_| counted) {
                        past.output = value.text();
                    }
                    let transient = Some(Transient::default());
                    self.desk.send(ExecuteResult { transient, ..ExecuteResult::new(execution_count, media(&value)) });
                }
                let user_expressions = Some(self.expressions(asked));
                ExecuteReply { execution_count, user_expressions, ..ExecuteReply::default() }
            }
            Err(failure) => {
                let ReplyError { ename, evalue, traceback } = told(&failure);
                let error = ErrorOutput { ename: ename.clone(), evalue: evalue.clone(), traceback: traceback.clone() };
                self.desk.send(error);
                let error = Some(Box::new(ReplyError { ename, evalue, traceback }));
                ExecuteReply { status: ReplyStatus::Error, execution_count, error, ..ExecuteReply::default() }
            }
        };
        self.desk.end();
        reply
    }

    /// What the front end wants to know after a cell has run, by name.
    fn expressions(&mut self, asked: &ExecuteRequest) -> HashMap<String, ExpressionResult> {
        let answer = |(name, code): (&String, &String)| {
            let result = match self.session.run("expression", code) {
                Ok(value) => ExpressionResult::Ok { data: media(&value), metadata: serde_json::Map::new() },
                Err(failure) => {
                    let ReplyError { ename, evalue, traceback } = told(&failure);
                    ExpressionResult::Error { ename, evalue, traceback }
                }
            };
            (name.clone(), result)
        };
        asked.user_expressions.iter().flatten().map(answer).collect()
    }

    fn recalled(&self, asked: &HistoryRequest) -> Vec<HistoryEntry> {
        let (found, with_output): (Vec<&Past>, bool) = match asked {
            HistoryRequest::Tail { n, output, .. } => (last(self.history.iter().collect(), *n), *output),
            HistoryRequest::Range { start, stop, output, .. } => {
                let within =
                    |past: &&Past| past.number as i64 >= i64::from(*start) && (past.number as i64) < i64::from(*stop);
                (self.history.iter().filter(within).collect(), *output)
            }
            HistoryRequest::Search { pattern, unique, n, output, .. } => {
                let Ok(pattern) = glob::Pattern::new(pattern) else { return Vec::new() };
                let alike: Vec<&Past> = self.history.iter().filter(|past| pattern.matches(&past.code)).collect();
                // Of equal ones the newest stays.
                let repeated = |at: usize| alike[at + 1..].iter().any(|later| later.code == alike[at].code);
                let kept = (0..alike.len()).filter(|at| !unique || !repeated(*at)).map(|at| alike[at]).collect();
                (last(kept, *n), *output)
            }
        };
        let entry = |past: &Past| {
            if with_output {
                HistoryEntry::InputOutput(0, past.number, (past.code.clone(), past.output.clone()))
            } else {
                HistoryEntry::Input(0, past.number, past.code.clone())
            }
        };
        found.into_iter().map(entry).collect()
    }
}

/// The last `n` of a list.
fn last<T>(mut list: Vec<T>, n: i32) -> Vec<T> {
    list.split_off(list.len().saturating_sub(usize::try_from(n).unwrap_or(0)))
}

/// A failure as notebooks show it: what went wrong first, then where.
fn told(failure: &Failure) -> ReplyError {
    let mut traceback = vec![match &failure.place {
        Some(place) => format!("\u{1b}[31m{}\u{1b}[0m ({place})", failure.message),
        None => format!("\u{1b}[31m{}\u{1b}[0m", failure.message),
    }];
    traceback.extend(failure.excerpt().iter().flat_map(|lines| lines.lines()).map(String::from));
    traceback.extend(failure.calls.iter().map(|call| format!("  {call}")));
    let name = if failure.interrupted { "Interrupted" } else { "Error" };
    ReplyError { ename: name.into(), evalue: failure.message.clone(), traceback }
}

pub(super) fn kernel_info() -> JupyterMessageContent {
    let version = env!("CARGO_PKG_VERSION").to_string();
    let reply = KernelInfoReply {
        status: ReplyStatus::Ok,
        protocol_version: "5.3".into(),
        implementation: "tradewind".into(),
        implementation_version: version.clone(),
        language_info: LanguageInfo {
            name: "rhai".into(),
            version: "1.27".into(),
            mimetype: Some("text/x-rhai".into()),
            file_extension: Some(".rhai".into()),
            // Rhai's syntax is near enough to JavaScript's for colours.
            pygments_lexer: Some("javascript".into()),
            codemirror_mode: Some(CodeMirrorMode::Simple("javascript".into())),
            nbconvert_exporter: None,
        },
        banner: format!("Tradewind {version}: sales forecasting in Rhai. help() lists the words."),
        help_links: vec![HelpLink { text: "The Rhai book".into(), url: "https://rhai.rs/book/".into() }],
        debugger: false,
        error: None,
    };
    JupyterMessageContent::KernelInfoReply(Box::new(reply))
}
