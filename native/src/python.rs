//! The Python surface: `PolicySet`, `Evaluation`, `builtins()` and one exception for each [`Fault`].

use std::collections::BTreeMap;
use std::time::Duration;

use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};

use crate::allowed;
use crate::canonical;
use crate::engine::{self, Outcome, Policies};
use crate::fault::Fault;

create_exception!(gate._native, PolicyError, PyException, "Base class of all errors of this module.");
create_exception!(gate._native, PolicySyntaxError, PolicyError, "A module does not parse.");
create_exception!(
    gate._native,
    PolicyCompileError,
    PolicyError,
    "Modules, data and entrypoints do not fit, or the engine would get them wrong."
);
create_exception!(
    gate._native,
    PolicyInputError,
    PolicyError,
    "Not an entrypoint, not a usable limit, or the input is not JSON."
);
create_exception!(gate._native, PolicyRuntimeError, PolicyError, "A rule failed while it was evaluated.");
create_exception!(gate._native, PolicyTimeout, PolicyError, "The evaluation used up its time limit.");
create_exception!(gate._native, PolicyPanic, PolicyError, "The engine itself failed.");

impl From<Fault> for PyErr {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Syntax(text) => PolicySyntaxError::new_err(text),
            Fault::Compile(text) => PolicyCompileError::new_err(text),
            Fault::Input(text) => PolicyInputError::new_err(text),
            Fault::Runtime(text) => PolicyRuntimeError::new_err(text),
            Fault::Timeout(text) => PolicyTimeout::new_err(text),
            Fault::Panic(text) => PolicyPanic::new_err(text),
        }
    }
}

/// JSON as Python hands it over. Both kinds can be read while the GIL is released.
#[derive(FromPyObject)]
enum JsonText {
    Bytes(PyBackedBytes),
    Text(PyBackedStr),
}

impl AsRef<[u8]> for JsonText {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Text(text) => text.as_bytes(),
        }
    }
}

/// Modules that passed all checks. Immutable, and free to be used by several threads at once.
#[pyclass(frozen, module = "gate._native")]
struct PolicySet(Policies);

#[pymethods]
impl PolicySet {
    /// Check and prepare modules, which are source text by file name.
    #[staticmethod]
    fn compile(
        py: Python<'_>,
        modules: BTreeMap<String, String>,
        data_json: JsonText,
        entrypoints: Vec<String>,
    ) -> PyResult<Self> {
        let compile = || Policies::compile(&modules, data_json.as_ref(), &entrypoints);
        Ok(Self(py.detach(compile)?))
    }

    /// The value of an entrypoint or test rule for an input document.
    #[pyo3(signature = (entrypoint, input_json, *, time_limit_s, coverage=false))]
    fn evaluate(
        &self,
        py: Python<'_>,
        entrypoint: &str,
        input_json: JsonText,
        time_limit_s: f64,
        coverage: bool,
    ) -> PyResult<Evaluation> {
        let limit = Duration::try_from_secs_f64(time_limit_s)
            .map_err(|error| Fault::Input(format!("time_limit_s: {error}")))?;
        let evaluate = || self.0.evaluate(entrypoint, input_json.as_ref(), limit, coverage);
        let Outcome { json, coverage_json } = py.detach(evaluate)?;
        Ok(Evaluation { json, coverage_json })
    }

    /// The rules named `test_*`. They can be evaluated like entrypoints.
    fn test_rules(&self) -> Vec<String> {
        self.0.tests().to_vec()
    }
}

/// The result of an evaluation.
#[pyclass(frozen, get_all, module = "gate._native")]
struct Evaluation {
    /// The value as JSON text; `None` if the rule is undefined, which is not the text `null`.
    json: Option<String>,
    /// `{file: {"covered": [line], "not_covered": [line]}}`, without files of which nothing ran.
    coverage_json: Option<String>,
}

/// The builtin functions that a policy may call, with their number of arguments.
#[pyfunction]
fn builtins() -> BTreeMap<&'static str, usize> {
    allowed::builtins().collect()
}

/// The engine's syntax tree of one module, as JSON text.
#[pyfunction]
fn syntax(py: Python<'_>, file: &str, source: &str) -> PyResult<String> {
    Ok(py.detach(|| engine::syntax(file, source))?)
}

/// The canonical JSON (RFC 8785) of a value.
#[pyfunction]
fn canonical_json(value: &Bound<'_, PyAny>) -> PyResult<String> {
    canonical::text(value)
}

#[pymodule]
mod _native {
    #[pymodule_export]
    use super::{
        Evaluation, PolicyCompileError, PolicyError, PolicyInputError, PolicyPanic, PolicyRuntimeError,
        PolicySet, PolicySyntaxError, PolicyTimeout, builtins, canonical_json, syntax,
    };

    #[pymodule_init]
    fn init(_module: &pyo3::Bound<'_, pyo3::types::PyModule>) -> pyo3::PyResult<()> {
        crate::sandbox::install_panic_hook();
        Ok(())
    }
}
