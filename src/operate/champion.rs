//! Which fits forecast now? Those of the version with the alias `champion`; each version says which one it replaced, so that the way back
//! is one step.

use crate::error::{Error, Result};
use crate::models::Fits;
use crate::plan::Plan;
use crate::track::{CHAMPION, Runs};

/// The place of the fits among the files of a run.
pub(super) const FITS: &str = "model/fits.bin";
/// What a version notes.
pub(super) const MODEL: &str = "model";
pub(super) const REPLACED: &str = "replaced";
pub(super) const WHY: &str = "why";

impl Runs {
    /// The fits that forecast under the name of a model: those of its champion.
    ///
    /// # Errors
    /// When there is no champion, or its fits cannot be read.
    pub fn champion_fits(&self, model: &str) -> Result<Fits> {
        let champion = self.champion(model)?.ok_or_else(|| no_champion(model, self))?;
        let version = format!("version {} of {model}", champion.version);
        let folder = crate::files::scratch()?;
        let files = self.download(&champion.run, FITS, folder.path())?;
        match files.first() {
            Some(file) => Fits::load_as(file, &version).map_err(|error| {
                error.within(
                    "the champion cannot forecast; `tradewind retrain` fits anew, `tradewind rollback` goes back",
                )
            }),
            None => Err(Error::data(format!("{version} has no fits"))),
        }
    }

    /// Brings back the version that the champion of a model replaced; its number.
    ///
    /// # Errors
    /// When there is no champion, or it replaced none.
    pub fn rollback(&self, model: &str) -> Result<u32> {
        let champion = self.champion(model)?.ok_or_else(|| no_champion(model, self))?;
        let former = champion.note(REPLACED).and_then(|number| number.parse().ok()).ok_or_else(|| {
            Error::usage(format!(
                "version {} of {model} replaced none: there is nothing to go back to",
                champion.version
            ))
        })?;
        self.alias(model, CHAMPION, former)?;
        Ok(former)
    }
}

fn no_champion(model: &str, runs: &Runs) -> Error {
    Error::usage(format!("{model} has no champion in {}; `tradewind retrain` finds one", runs.home()))
}

impl Plan {
    /// The name under which the models of this plan are registered: its experiment, or its title.
    pub fn model_name(&self) -> String {
        self.experiment.clone().unwrap_or_else(|| self.title.clone())
    }
}
