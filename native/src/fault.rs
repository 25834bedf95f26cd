//! What can go wrong.

use std::fmt;

/// A failure that has not crossed into Python yet. The text is for humans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A module does not parse.
    Syntax(String),
    /// Modules, data and entrypoints do not fit, or the engine would get them wrong.
    Compile(String),
    /// Not an entrypoint, not a usable limit, or the input is not JSON.
    Input(String),
    /// A rule failed while it was evaluated.
    Runtime(String),
    /// The evaluation used up its time limit.
    Timeout(String),
    /// The engine itself failed.
    Panic(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Syntax(text)
        | Self::Compile(text)
        | Self::Input(text)
        | Self::Runtime(text)
        | Self::Timeout(text)
        | Self::Panic(text)) = self;
        formatter.write_str(text)
    }
}

impl std::error::Error for Fault {}

/// For `map_err`: an engine error as a failure of some kind.
///
/// `{:#}` keeps the causes and, unlike `{:?}`, never prints a native backtrace.
pub(crate) fn as_fault(kind: fn(String) -> Fault) -> impl FnOnce(anyhow::Error) -> Fault {
    move |error| kind(format!("{error:#}").trim_start().to_owned())
}
