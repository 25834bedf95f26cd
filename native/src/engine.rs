//! Compile once, evaluate often: the part that talks to regorus.

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU32, NonZeroUsize};
use std::str;
use std::time::{Duration, Instant};

use regorus::coverage::File;
use regorus::utils::limits::{ExecutionTimerConfig, LimitError};
use regorus::{Engine, PolicyLengthConfig, Value};
use serde_json::json;

use crate::checks::{self, Library};
use crate::fault::{Fault, as_fault};
use crate::replaced;
use crate::sandbox;

/// Work units between two looks at the clock. Small, because after a timeout inside a user function
/// regorus still tries the function's other definitions until each of them notices the deadline.
const CHECK_INTERVAL: NonZeroU32 = NonZeroU32::new(16).unwrap();
/// Bounds what the parser can build, and with it the stack that dropping it takes.
const MAX_MODULE_BYTES: NonZeroUsize = NonZeroUsize::new(256 * 1024).unwrap();

/// Any Python thread may use a `PolicySet`. A regorus release that forbids that stops the build.
const _: () = {
    const fn assert_send_and_sync<T: Send + Sync>() {}
    assert_send_and_sync::<Engine>();
};

/// Checked and prepared modules. Never changed again: every evaluation works on a clone.
pub struct Policies {
    template: Engine,
    library: Library,
    entrypoints: BTreeSet<String>,
}

/// The result of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The value as JSON text; `None` if the rule is undefined, which is not the text `null`.
    pub json: Option<String>,
    /// `{file: {"covered": [line], "not_covered": [line]}}`, without files of which nothing ran.
    pub coverage_json: Option<String>,
}

impl Policies {
    /// Checks and prepares modules, which are source text by file name.
    ///
    /// # Errors
    /// [`Fault::Syntax`] for the first module that does not parse, [`Fault::Compile`] with all other mistakes.
    pub fn compile(
        modules: &BTreeMap<String, String>,
        data_json: &[u8],
        entrypoints: &[String],
    ) -> Result<Self, Fault> {
        sandbox::run(sandbox::COMPILE_STACK, || Self::prepare(modules, data_json, entrypoints))
    }

    /// The value of an entrypoint or test rule for an input document.
    ///
    /// # Errors
    /// Never [`Fault::Syntax`] or [`Fault::Compile`]; any other kind.
    pub fn evaluate(
        &self,
        entrypoint: &str,
        input_json: &[u8],
        limit: Duration,
        coverage: bool,
    ) -> Result<Outcome, Fault> {
        sandbox::run(sandbox::EVALUATE_STACK, || self.run(entrypoint, input_json, limit, coverage))
    }

    /// The rules named `test_*`, sorted. They can be evaluated like entrypoints.
    pub fn tests(&self) -> &[String] {
        &self.library.tests
    }

    fn prepare(
        modules: &BTreeMap<String, String>,
        data_json: &[u8],
        entrypoints: &[String],
    ) -> Result<Self, Fault> {
        let mut engine = Engine::new();
        engine.set_policy_length_config(policy_limits());
        // Here and not before each evaluation, where it would copy the compiled modules.
        engine.set_strict_builtin_errors(true);
        replaced::install(&mut engine).map_err(as_fault(Fault::Panic))?;
        for (file, source) in modules {
            checks::nesting(file, source)?;
            engine.add_policy(file.clone(), source.clone()).map_err(as_fault(Fault::Syntax))?;
        }

        let data = parse(data_json).map_err(as_fault(Fault::Compile))?;
        let library = checks::analyse(engine.get_modules(), &data, entrypoints)?;
        let entrypoints: BTreeSet<String> = entrypoints.iter().chain(&library.tests).cloned().collect();
        let Some(first) = entrypoints.first() else {
            return Err(Fault::Compile("neither entrypoints nor test rules".to_owned()));
        };

        engine.add_data(data).map_err(as_fault(Fault::Compile))?;
        // Makes the engine analyse all modules now (safety of variables, order of statements).
        engine.compile_with_entrypoint(&first.as_str().into()).map_err(as_fault(Fault::Compile))?;
        Ok(Self { template: engine, library, entrypoints })
    }

    fn run(
        &self,
        entrypoint: &str,
        input_json: &[u8],
        limit: Duration,
        coverage: bool,
    ) -> Result<Outcome, Fault> {
        if !self.entrypoints.contains(entrypoint) {
            return Err(Fault::Input(format!("{entrypoint} is not an entrypoint")));
        }
        let input = parse(input_json).map_err(as_fault(Fault::Input))?;

        let mut engine = self.template.clone();
        engine.set_execution_timer_config(ExecutionTimerConfig { limit, check_interval: CHECK_INTERVAL });
        engine.set_enable_coverage(coverage);
        engine.set_input(input);

        let start = Instant::now();
        let value = engine
            .eval_rule(entrypoint.to_owned())
            .map_err(|error| classify(error, start.elapsed() >= limit))?;
        // The engine does not look at the clock inside a builtin function.
        if start.elapsed() > limit {
            return Err(Fault::Timeout(format!("one step of the evaluation took longer than {limit:?}")));
        }
        Ok(Outcome {
            json: serialise(&value)?,
            coverage_json: coverage.then(|| coverage_report(&engine)).transpose()?,
        })
    }
}

/// The syntax tree of one module as JSON: the engine's own, which has no stability promise. Only the parser looks at
/// the source, so it may be wrong in any way that the parser cannot see.
///
/// # Errors
/// [`Fault::Syntax`] if the module does not parse.
pub fn syntax(file: &str, source: &str) -> Result<String, Fault> {
    sandbox::run(sandbox::COMPILE_STACK, || {
        checks::nesting(file, source)?;
        let mut engine = Engine::new();
        engine.set_policy_length_config(policy_limits());
        engine.add_policy(file.to_owned(), source.to_owned()).map_err(as_fault(Fault::Syntax))?;
        engine.get_ast_as_json().map_err(as_fault(Fault::Syntax))
    })
}

fn policy_limits() -> PolicyLengthConfig {
    PolicyLengthConfig { max_file_bytes: MAX_MODULE_BYTES, ..PolicyLengthConfig::default() }
}

fn parse(json: &[u8]) -> anyhow::Result<Value> {
    Value::from_json_str(str::from_utf8(json).map_err(anyhow::Error::msg)?)
}

/// Compact JSON with sorted keys; sets become sorted arrays.
fn serialise(value: &Value) -> Result<Option<String>, Fault> {
    if *value == Value::Undefined {
        return Ok(None);
    }
    serde_json::to_string(value).map(Some).map_err(|error| Fault::Runtime(error.to_string()))
}

fn coverage_report(engine: &Engine) -> Result<String, Fault> {
    let report = engine.get_coverage_report().map_err(as_fault(Fault::Runtime))?;
    let lines = |file: &File| json!({"covered": file.covered, "not_covered": file.not_covered});
    let files: BTreeMap<_, _> = report.files.iter().map(|file| (&file.path, lines(file))).collect();
    serde_json::to_string(&files).map_err(|error| Fault::Runtime(error.to_string()))
}

/// An error that came through a user function is only text, so its type does not always tell a
/// timeout. That the time is really up keeps a policy from faking one.
fn classify(error: anyhow::Error, is_late: bool) -> Fault {
    let timed_out = matches!(error.downcast_ref(), Some(LimitError::TimeLimitExceeded { .. }))
        || error.to_string().contains("execution exceeded time limit");
    as_fault(if is_late && timed_out { Fault::Timeout } else { Fault::Runtime })(error)
}
