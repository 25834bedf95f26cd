//! What the crate promises, without Python.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use _native::{Fault, Outcome, Policies, builtins};

const ENTRY: &str = "data.m.p";
const SLOW: &str = "count([1 | some i in numbers.range(1, 3000); some j in numbers.range(1, 3000)])";

fn compile(source: &str, data: &str) -> Result<Policies, Fault> {
    let modules = BTreeMap::from([("m.rego".to_owned(), format!("package m\n{source}\n"))]);
    Policies::compile(&modules, data.as_bytes(), &[ENTRY.to_owned()])
}

fn evaluate(source: &str, input: &str, limit: Duration) -> Result<Outcome, Fault> {
    compile(source, "{}")?.evaluate(ENTRY, input.as_bytes(), limit, false)
}

fn value(source: &str, input: &str) -> Option<String> {
    evaluate(source, input, Duration::from_secs(20)).expect("it evaluates").json
}

#[test]
fn undefined_is_neither_null_nor_false() {
    assert_eq!(value("p if input.x", "{}"), None);
    assert_eq!(value("p := null", "{}").as_deref(), Some("null"));
    assert_eq!(value("p := false", "{}").as_deref(), Some("false"));
}

#[test]
fn results_are_canonical() {
    let text = value(r#"p := {"b": {3, 1, 2}, "a": "é"}"#, "{}");
    assert_eq!(text.as_deref(), Some(r#"{"a":"é","b":[1,2,3]}"#));
}

#[test]
fn floats_come_back_as_they_were() {
    for number in ["0.30000000000000004", "1.7976931348623157e308", "5e-324", "9007199254740993"] {
        let text = value("p := input", number).expect("it is defined");
        assert_eq!(text.parse::<f64>(), number.parse::<f64>(), "{number}");
    }
}

#[test]
fn numbers_that_cost_time_are_refused_at_once() {
    let start = Instant::now();
    let fault = evaluate("p := input", "1e99999999", Duration::from_secs(20)).expect_err("it is no number");
    assert!(matches!(fault, Fault::Input(_)), "{fault:?}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn each_failure_has_its_kind() {
    let limit = Duration::from_secs(20);
    assert!(matches!(compile("p := ", "{}"), Err(Fault::Syntax(_))));
    assert!(matches!(compile("p := foo(1)", "{}"), Err(Fault::Compile(_))));
    assert!(matches!(compile("p := 1", "[]"), Err(Fault::Compile(_))));
    assert!(matches!(compile("q := 1", "{}"), Err(Fault::Compile(_))));
    assert!(matches!(compile("p := 1", r#"{"m": {"p": 2}}"#), Err(Fault::Compile(_))));
    assert!(matches!(evaluate("p := 1", "{", limit), Err(Fault::Input(_))));
    assert!(matches!(evaluate("p := 1 if true\np := 2 if true", "{}", limit), Err(Fault::Runtime(_))));
    assert!(matches!(
        evaluate("import future.keywords.not\np if not to_number(\"x\") == 1", "{}", limit),
        Err(Fault::Runtime(_))
    ));
}

#[test]
fn only_entrypoints_and_tests_can_be_evaluated() {
    let policies = compile("p := 1\nq := 2\ntest_it if p == 1", "{}").expect("it compiles");
    let run = |rule: &str| policies.evaluate(rule, b"{}", Duration::from_secs(20), false);
    assert!(run(ENTRY).is_ok());
    assert_eq!(policies.tests(), ["data.m.test_it"]);
    assert_eq!(run("data.m.test_it").map(|outcome| outcome.json), Ok(Some("true".to_owned())));
    for rule in ["data.m.q", "data.m", "p", "", "data.m.p.x"] {
        assert!(matches!(run(rule), Err(Fault::Input(_))), "{rule}");
    }
}

#[test]
fn the_time_limit_stops_an_evaluation() {
    let start = Instant::now();
    for source in [format!("p := {SLOW}"), format!("f(x) := {SLOW}\nf(x) := {SLOW}\np := f(1)")] {
        let fault = evaluate(&source, "{}", Duration::from_millis(50)).expect_err("it takes longer");
        assert!(matches!(fault, Fault::Timeout(_)), "{fault:?}");
    }
    assert!(start.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_policy_cannot_fake_a_timeout() {
    let source = r#"p := to_number("execution exceeded time limit")"#;
    assert!(matches!(evaluate(source, "{}", Duration::from_secs(20)), Err(Fault::Runtime(_))));
}

#[test]
fn coverage_is_of_one_evaluation() {
    let policies = compile("p if {\n  input.a\n  input.a > 1\n}", "{}").expect("it compiles");
    let run =
        |input: &[u8]| policies.evaluate(ENTRY, input, Duration::from_secs(20), true).expect("it evaluates");
    let report = run(br#"{"a": 2}"#).coverage_json.expect("it was asked for");
    assert!(report.starts_with(r#"{"m.rego":{"covered":["#), "{report}");
}

#[test]
fn one_set_serves_many_threads() {
    let policies = compile("p := sum([x | is_array(input); some x in input])", "{}").expect("it compiles");
    std::thread::scope(|scope| {
        for n in 0..4 {
            let policies = &policies;
            scope.spawn(move || {
                for _ in 0..50 {
                    let outcome = policies
                        .evaluate(ENTRY, format!("[{n},{n}]").as_bytes(), Duration::from_secs(20), false)
                        .expect("it evaluates");
                    assert_eq!(outcome.json, Some((2 * n).to_string()));
                }
            });
        }
    });
}

#[test]
fn the_engine_has_no_door_to_the_outside() {
    let names: Vec<&str> = builtins().map(|(name, _)| name).collect();
    for name in ["count", "regex.match", "sprintf"] {
        assert!(names.contains(&name), "{name}");
    }
    for name in [
        "http.send",
        "opa.runtime",
        "uuid.rfc4122",
        "net.lookup_ip_addr",
        "yaml.unmarshal",
        "glob.match",
        "time.now_ns",
        "rand.intn",
        "print",
        "trace",
    ] {
        assert!(!names.contains(&name), "{name}");
    }
}
