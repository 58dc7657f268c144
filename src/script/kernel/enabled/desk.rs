//! Where a cell's output goes: messages to every notebook that listens, and questions to the one that asked.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use jupyter_protocol::{
    DisplayData, InputRequest, JupyterMessage, JupyterMessageContent, Media, MediaType, StreamContent, Transient,
    UpdateDisplayData,
};
use tokio::sync::{mpsc, oneshot};

use crate::error::{Error, Result};
use crate::job::Progress;
use crate::progress;
use crate::script::session::{Surface, locked};
use crate::script::shown::Shown;

/// How long work may take before its progress is shown.
const PATIENCE: Duration = Duration::from_millis(500);

/// A question of a cell, and where its answer goes.
pub(super) struct Question {
    pub(super) message: JupyterMessage,
    pub(super) reply: oneshot::Sender<String>,
}

pub(super) struct Desk {
    out: mpsc::UnboundedSender<JupyterMessage>,
    ask: mpsc::UnboundedSender<Question>,
    cell: Mutex<Option<Cell>>,
    printed: Mutex<Printed>,
}

/// What was printed and not yet sent: a message for each line of a flood would be on its way long after an interrupt.
#[derive(Default)]
struct Printed {
    text: String,
    sent: Option<Instant>,
}

/// How often what is printed is sent, and how much of it at a time; a cell that prints more waits.
pub(super) const BREATH: Duration = Duration::from_millis(50);
const MOUTHFUL: usize = 1 << 16;

/// The cell that runs.
struct Cell {
    request: JupyterMessage,
    silent: bool,
    may_ask: bool,
    started: Instant,
    /// The display that shows progress, and what it showed last.
    progress: Option<String>,
    line: String,
}

impl Desk {
    pub(super) fn new(out: mpsc::UnboundedSender<JupyterMessage>, ask: mpsc::UnboundedSender<Question>) -> Self {
        Self { out, ask, cell: Mutex::default(), printed: Mutex::default() }
    }

    /// What follows belongs to this request.
    pub(super) fn begin(&self, request: &JupyterMessage, silent: bool, may_ask: bool) {
        *locked(&self.cell) = Some(Cell {
            request: request.clone(),
            silent,
            may_ask,
            started: Instant::now(),
            progress: None,
            line: String::new(),
        });
    }

    /// The cell has ended: its progress says so.
    pub(super) fn end(&self) {
        self.flush();
        let cell = locked(&self.cell).take();
        if let Some(Cell { request, progress: Some(id), line, started, .. }) = cell {
            let text = format!("{line}; {:.1} s in all", started.elapsed().as_secs_f64());
            let _ = self.out.send(update(&text, &id).as_child_of(&request));
        }
    }

    /// Sends something as a consequence of the cell that runs.
    pub(super) fn send(&self, content: impl Into<JupyterMessageContent>) {
        self.flush();
        self.send_now(content);
    }

    /// Sends what was printed.
    pub(super) fn flush(&self) {
        let text = {
            let mut printed = locked(&self.printed);
            printed.sent = Some(Instant::now());
            std::mem::take(&mut printed.text)
        };
        if !text.is_empty() {
            self.send_now(StreamContent::stdout(&text));
        }
    }

    fn print(&self, text: &str) {
        let (size, due) = {
            let mut printed = locked(&self.printed);
            printed.text.push_str(text);
            printed.text.push('\n');
            (printed.text.len(), printed.sent.is_none_or(|sent| sent.elapsed() >= BREATH))
        };
        if due {
            self.flush();
        } else if size >= MOUTHFUL {
            std::thread::sleep(BREATH);
            self.flush();
        }
    }

    fn send_now(&self, content: impl Into<JupyterMessageContent>) {
        if let Some(cell) = locked(&self.cell).as_ref().filter(|cell| !cell.silent) {
            let _ = self.out.send(JupyterMessage::new(content.into(), Some(&cell.request)));
        }
    }

    /// One line of progress, the same line every time; it appears once work takes long enough to be waited for.
    pub(super) fn progress(&self, progress: &Progress) {
        let mut cell = locked(&self.cell);
        let Some(cell) = cell.as_mut().filter(|cell| !cell.silent) else { return };
        if cell.started.elapsed() < PATIENCE {
            return;
        }
        cell.line.clone_from(&progress.doing);
        let line = progress.to_string();
        match &cell.progress {
            Some(id) => {
                let _ = self.out.send(update(&line, id).as_child_of(&cell.request));
            }
            None => {
                let id = format!("progress-{}", cell.request.header.msg_id);
                let shown = DisplayData {
                    transient: Some(Transient { display_id: Some(id.clone()) }),
                    metadata: marked(),
                    ..DisplayData::new(Media::new(vec![MediaType::Plain(line)]))
                };
                let _ = self.out.send(shown.as_child_of(&cell.request));
                cell.progress = Some(id);
            }
        }
    }
}

fn update(text: &str, id: &str) -> UpdateDisplayData {
    let update = UpdateDisplayData::new(Media::new(vec![MediaType::Plain(text.into())]), id);
    UpdateDisplayData { metadata: marked(), ..update }
}

/// Tells programs that clean notebooks that this output is no result.
fn marked() -> serde_json::Map<String, serde_json::Value> {
    serde_json::Map::from_iter([("tradewind".to_string(), "progress".into())])
}

/// A value in every form that a notebook may choose from.
pub(super) fn media(shown: &Shown) -> Media {
    let mut forms = vec![MediaType::Plain(shown.text())];
    match shown.svg() {
        Some(svg) => forms.push(MediaType::Svg(svg)),
        None => forms.extend(shown.html().map(MediaType::Html)),
    }
    Media::new(forms)
}

/// The surface of the session: the desk that all share.
pub(super) struct Notebook(pub(super) std::sync::Arc<Desk>);

impl Surface for Notebook {
    fn print(&self, text: &str) {
        self.0.print(text);
    }

    fn debug(&self, text: &str) {
        self.0.send(StreamContent::stderr(&format!("{text}\n")));
    }

    fn show(&self, shown: &Shown) {
        if !shown.is_empty() {
            self.0.send(DisplayData::new(media(shown)));
        }
    }

    fn ask(&self, prompt: &str) -> Result<String> {
        let nobody = || Error::usage("there is nobody to answer: this notebook runs unattended");
        let message = {
            let cell = locked(&self.0.cell);
            let cell = cell.as_ref().filter(|cell| cell.may_ask).ok_or_else(nobody)?;
            InputRequest { prompt: prompt.into(), password: false }.as_child_of(&cell.request)
        };
        let (reply, mut answer) = oneshot::channel();
        self.0.ask.send(Question { message, reply }).map_err(|_| nobody())?;
        loop {
            progress::check()?;
            match answer.try_recv() {
                Ok(text) => return Ok(text),
                Err(oneshot::error::TryRecvError::Closed) => return Err(nobody()),
                Err(oneshot::error::TryRecvError::Empty) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}
