//! `gate._native`: the Rego engine regorus, embedded for deciding gates, and canonical JSON.
//!
//! JSON text goes in and out, so that no value changes on the way between two type systems.
//! Everything that can be known before an evaluation is an error of [`Policies::compile`].
//!
//! | module | content |
//! |---|---|
//! | `engine` | compile once, clone per evaluation, limits, coverage |
//! | `checks` | static checks over the modules before the engine accepts them |
//! | `heads` | the check for rule heads that lose results |
//! | `names` | names of imports and rules that get in each other's way |
//! | `portable` | what the engines understand differently in a rule, with `locals`, `raw`, `terms` and `pattern` |
//! | `allowed` | the builtin functions that a policy may call |
//! | `replaced` | builtin functions with OPA's results instead of the engine's own |
//! | `walk` | the syntax tree visitor that the checks use |
//! | `sandbox` | own thread with a known stack, panics become errors |
//! | `fault` | the kinds of failure |
//! | `canonical` | canonical JSON of Python values |
//! | `python` | the extension module; everything else knows nothing of Python |

mod allowed;
#[cfg(feature = "python")]
mod canonical;
mod checks;
mod engine;
mod fault;
mod heads;
mod locals;
mod names;
mod pattern;
mod portable;
#[cfg(feature = "python")]
mod python;
mod raw;
mod replaced;
mod sandbox;
mod terms;
mod walk;

pub use allowed::builtins;
pub use engine::{Outcome, Policies, syntax};
pub use fault::Fault;
pub use sandbox::install_panic_hook;
