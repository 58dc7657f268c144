//! Jupyter talks to a kernel over five ZeroMQ sockets. One thread serves them all; cells run on a second one, so that
//! an interrupt, a heartbeat and the answer to a question get through while a cell works.
//!
//! | file | question |
//! |---|---|
//! | `install` | how Jupyter finds the kernel |
//! | `desk` | what a cell prints, shows and asks, as messages |
//! | `cells` | what each request is answered with |

mod cells;
mod desk;
mod install;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jupyter_protocol::{
    ConnectionInfo, ExecuteReply, InputReply, InterruptReply, JupyterMessage, JupyterMessageContent, ReplyStatus,
    ShutdownReply, Status,
};
use jupyter_zmq_client::{
    KernelControlConnection, KernelShellConnection, KernelStdinConnection, RouterSendConnection,
    create_kernel_control_connection, create_kernel_heartbeat_connection, create_kernel_iopub_connection,
    create_kernel_shell_connection, create_kernel_stdin_connection,
};
use tokio::sync::{mpsc, oneshot};

pub use install::install;

use crate::error::{Error, Result};
use crate::script::session::{Settings, on_deep_stack};
use crate::{files, job};
use cells::{Cells, Job};
use desk::{Desk, Question};

/// How long requests that are already on their way are waited for before a cell's failure is told: they are not run.
const STRAGGLERS: Duration = Duration::from_millis(10);
/// How often a kernel looks whether the Jupyter that started it is still there.
const ORPHANED: Duration = Duration::from_secs(2);

/// Serves the kernel that a connection file describes until it is told to end. Where the working folder lies below
/// `root`, the kernel works in `root`: paths then mean the same in every notebook of a project.
///
/// # Errors
/// When the connection file cannot be read or its ports cannot be opened.
pub fn run(connection: &Path, root: Option<&Path>, settings: &Settings) -> Result<()> {
    let connection = files::read_text(connection)?;
    let connection: ConnectionInfo = serde_json::from_str(&connection)
        .map_err(|cause| Error::data("the connection file is not one").because(cause))?;
    if let Some(root) = root.and_then(|root| root.canonicalize().ok())
        && std::env::current_dir().is_ok_and(|here| here.starts_with(&root))
    {
        std::env::set_current_dir(&root)
            .map_err(|cause| Error::io(format!("{} cannot be entered", root.display())).because(cause))?;
    }
    let (out, messages) = mpsc::unbounded_channel();
    let (ask, questions) = mpsc::unbounded_channel();
    let (jobs, waiting) = std::sync::mpsc::channel();
    let desk = Arc::new(Desk::new(out.clone(), ask));
    let (watcher, breathing) = (desk.clone(), desk.clone());
    let work = job::Job::current().watched(move |event| {
        if let job::Event::Progress(progress) = event {
            watcher.progress(progress);
        }
    });
    let cells = work.during(|| Cells::new(settings, desk))?;
    let working = work.clone();
    job::apart("cells", move || {
        // A thread that cannot be started leaves nobody to answer, which Jupyter says.
        let _ = working.during(|| on_deep_stack(|| cells.serve(waiting)));
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|cause| Error::io("the kernel cannot be started").because(cause))?;
    runtime.block_on(serve(&connection, out, messages, questions, jobs, &breathing, &work))
}

type Out = mpsc::UnboundedSender<JupyterMessage>;

async fn serve(
    connection: &ConnectionInfo,
    out: Out,
    mut messages: mpsc::UnboundedReceiver<JupyterMessage>,
    questions: mpsc::UnboundedReceiver<Question>,
    jobs: std::sync::mpsc::Sender<Job>,
    desk: &Desk,
    work: &job::Job,
) -> Result<()> {
    let session = std::process::id().to_string();
    let failed = |cause: jupyter_zmq_client::RuntimeError| {
        Error::io("the ports of the connection file cannot be opened").because(cause)
    };
    let mut iopub = create_kernel_iopub_connection(connection, &session).await.map_err(failed)?;
    let shell = create_kernel_shell_connection(connection, &session).await.map_err(failed)?;
    let control = create_kernel_control_connection(connection, &session).await.map_err(failed)?;
    let stdin = create_kernel_stdin_connection(connection, &session).await.map_err(failed)?;
    let mut heartbeat = create_kernel_heartbeat_connection(connection).await.map_err(failed)?;
    let _ = out.send(Status::starting().into());
    // Each runs until the process ends: a message that cannot be read or sent is dropped, the next one is served.
    let publish = async {
        while let Some(message) = messages.recv().await {
            let _ = iopub.send(message).await;
        }
    };
    let breathe = async {
        loop {
            tokio::time::sleep(desk::BREATH).await;
            desk.flush();
        }
    };
    let beat = async {
        while heartbeat.single_heartbeat().await.is_ok() {}
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = publish => {}
        () = beat => {}
        () = breathe => {}
        () = serve_shell(shell, &out, &jobs) => {}
        () = serve_control(control, &out, work) => {}
        () = serve_stdin(stdin, questions) => {}
        () = orphaned() => {}
    }
    files::remove_unfinished();
    Ok(())
}

/// Cells, completion and the like, one after the other.
async fn serve_shell(shell: KernelShellConnection, out: &Out, jobs: &std::sync::mpsc::Sender<Job>) {
    let (mut replies, mut requests) = shell.split();
    let (arrived, mut queue) = mpsc::unbounded_channel();
    // Reading goes on while a cell runs, so that it is known what was asked before the cell failed.
    let read = async {
        loop {
            if let Ok(request) = requests.read().await {
                let _ = arrived.send(request);
            }
        }
    };
    let answer = async {
        while let Some(request) = queue.recv().await {
            let _ = out.send(Status::busy().as_child_of(&request));
            let (reply, answered) = oneshot::channel();
            let _ = jobs.send(Job { request: request.clone(), reply });
            let answer = answered.await.ok().flatten();
            let failed = answer.as_ref().is_some_and(|answer| stops(answer, &request));
            if failed {
                tokio::time::sleep(STRAGGLERS).await;
            }
            let late = if failed { queue.len() } else { 0 };
            if let Some(content) = answer {
                let _ = replies.send(JupyterMessage::new(content, Some(&request))).await;
            }
            let _ = out.send(Status::idle().as_child_of(&request));
            for _ in 0..late {
                let Some(request) = queue.recv().await else { return };
                abort(&request, &mut replies, out).await;
            }
        }
    };
    tokio::select! { () = read => {}, () = answer => {} }
}

/// Is it the answer of a cell that failed, after which nothing shall run that was asked for before?
fn stops(answer: &JupyterMessageContent, request: &JupyterMessage) -> bool {
    matches!((answer, &request.content),
        (JupyterMessageContent::ExecuteReply(reply), JupyterMessageContent::ExecuteRequest(asked))
            if reply.status == ReplyStatus::Error && asked.stop_on_error)
}

/// Answers what was asked for before a cell failed: a cell is not run, the rest stays unanswered.
async fn abort(request: &JupyterMessage, replies: &mut RouterSendConnection, out: &Out) {
    let _ = out.send(Status::busy().as_child_of(request));
    if let JupyterMessageContent::ExecuteRequest(_) = request.content {
        let reply = ExecuteReply { status: ReplyStatus::Aborted, ..ExecuteReply::default() };
        let _ = replies.send(reply.as_child_of(request)).await;
    }
    let _ = out.send(Status::idle().as_child_of(request));
}

/// Interrupts, and the end.
async fn serve_control(mut control: KernelControlConnection, out: &Out, work: &job::Job) {
    loop {
        let Ok(request) = control.read().await else { continue };
        let _ = out.send(Status::busy().as_child_of(&request));
        match &request.content {
            JupyterMessageContent::InterruptRequest(_) => {
                work.cancel();
                let _ = control.send(InterruptReply::new().as_child_of(&request)).await;
            }
            JupyterMessageContent::ShutdownRequest(asked) => {
                work.cancel();
                let reply = ShutdownReply { restart: asked.restart, ..ShutdownReply::default() };
                let _ = control.send(reply.as_child_of(&request)).await;
                let _ = out.send(Status::idle().as_child_of(&request));
                // The last messages are on their way; a working cell has time to leave no half-written file.
                tokio::time::sleep(Duration::from_millis(100)).await;
                return;
            }
            JupyterMessageContent::KernelInfoRequest(_) => {
                let _ = control.send(JupyterMessage::new(cells::kernel_info(), Some(&request))).await;
            }
            _ => {}
        }
        let _ = out.send(Status::idle().as_child_of(&request));
    }
}

/// Questions of a cell to whoever works in the notebook, and the answers.
async fn serve_stdin(stdin: KernelStdinConnection, mut questions: mpsc::UnboundedReceiver<Question>) {
    let (mut asking, mut answers) = stdin.split();
    let (arrived, mut queue) = mpsc::unbounded_channel();
    let read = async {
        loop {
            if let Ok(JupyterMessage { content: JupyterMessageContent::InputReply(InputReply { value, .. }), .. }) =
                answers.read().await
            {
                let _ = arrived.send(value);
            }
        }
    };
    let ask = async {
        while let Some(question) = questions.recv().await {
            // What came after its question was given up answers nothing.
            while queue.try_recv().is_ok() {}
            let _ = asking.send(question.message).await;
            let mut reply = question.reply;
            tokio::select! {
                Some(value) = queue.recv() => { let _ = reply.send(value); }
                () = reply.closed() => {}
            }
        }
        std::future::pending::<()>().await;
    };
    tokio::select! { () = read => {}, () = ask => {} }
}

/// Ends when the Jupyter that started the kernel is gone.
async fn orphaned() {
    #[cfg(unix)]
    if std::env::var_os("JPY_PARENT_PID").is_some() {
        let parent = std::os::unix::process::parent_id();
        while std::os::unix::process::parent_id() == parent {
            tokio::time::sleep(ORPHANED).await;
        }
        return;
    }
    std::future::pending::<()>().await;
}
