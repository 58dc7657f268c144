//! How does Jupyter find the kernel? A folder with a `kernel.json` among those that it looks through.

use std::path::PathBuf;

use serde_json::json;

use crate::error::{Error, Result};
use crate::files::write_atomically;
use crate::script::kernel::Install;

/// The kernel's name in `jupyter kernelspec list`.
const NAME: &str = "tradewind-rhai";

/// Installs the kernel and returns its folder.
///
/// # Errors
/// When the folder cannot be written, or a folder that is named does not exist.
pub fn install(options: &Install) -> Result<PathBuf> {
    let data = match &options.prefix {
        Some(prefix) => prefix.join("share/jupyter"),
        None => jupyter_zmq_client::user_data_dir().map_err(|cause| {
            Error::io("the user's Jupyter folder is not known; name one by --prefix").because(cause)
        })?,
    };
    let real = |folder: &PathBuf| {
        let real = folder.canonicalize();
        real.map_err(|cause| Error::usage(format!("{} is no folder", folder.display())).because(cause))
    };
    let program =
        std::env::current_exe().map_err(|cause| Error::io("this program's own path is not known").because(cause))?;
    let mut argv = vec![json!(program), json!("kernel"), json!("run")];
    if let Some(root) = &options.root {
        argv.extend([json!("--root"), json!(real(root)?)]);
    }
    for folder in &options.allow {
        argv.extend([json!("--allow"), json!(real(folder)?)]);
    }
    for name in &options.allow_databases {
        argv.extend([json!("--allow-database"), json!(name)]);
    }
    if options.unlimited {
        argv.push(json!("--unlimited"));
    }
    argv.push(json!("{connection_file}"));
    let spec = json!({
        "argv": argv, "display_name": "Tradewind (Rhai)", "language": "rhai", "interrupt_mode": "message",
        "metadata": { "debugger": false },
    });
    let folder = data.join("kernels").join(NAME);
    write_atomically(&folder.join("kernel.json"), format!("{spec:#}\n").as_bytes())?;
    Ok(folder)
}
