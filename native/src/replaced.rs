//! Builtin functions that the engine gets otherwise than OPA, in an implementation that gives OPA's result or an error.
//!
//! The engine calls these instead of its own, after it has counted the arguments and left out undefined ones.

use anyhow::{Result, bail};
use regorus::unstable::{BUILTINS, Expr, Ref, Source, Span};
use regorus::{Engine, Value};

/// Integers beyond this are not exact everywhere.
const MAX_INTEGER: i64 = 1 << 53;

type Function = fn(&[Value]) -> Result<Value>;

const FUNCTIONS: &[(&str, u8, Function)] = &[
    ("count", 1, count),
    ("json.patch", 2, patch),
    ("lower", 1, |arguments| {
        Ok(Value::from(text("lower", &arguments[0])?.chars().map(lower).collect::<String>()))
    }),
    ("replace", 3, replace),
    ("sprintf", 2, sprintf),
    ("substring", 3, substring),
    ("to_number", 1, to_number),
    ("upper", 1, |arguments| {
        Ok(Value::from(text("upper", &arguments[0])?.chars().map(upper).collect::<String>()))
    }),
];

pub(crate) fn install(engine: &mut Engine) -> Result<()> {
    for (name, arity, function) in FUNCTIONS {
        engine.add_extension(
            (*name).to_owned(),
            *arity,
            Box::new(|arguments: Vec<Value>| function(&arguments)),
        )?;
    }
    Ok(())
}

fn text<'a>(name: &str, value: &'a Value) -> Result<&'a str> {
    value
        .as_string()
        .map(AsRef::as_ref)
        .map_err(|_| anyhow::anyhow!("`{name}` expects a text, got `{value}`"))
}

fn integer(name: &str, value: &Value) -> Result<i64> {
    let number =
        value.as_number().ok().filter(|number| number.is_integer()).and_then(|number| number.as_i64());
    let Some(number) = number.filter(|number| (-MAX_INTEGER..=MAX_INTEGER).contains(number)) else {
        bail!("`{name}` expects an integer up to 2^53, got `{value}`")
    };
    Ok(number)
}

/// Characters, where the engine counts UTF-16 units.
fn count(arguments: &[Value]) -> Result<Value> {
    Ok(Value::from(match &arguments[0] {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Set(items) => items.len(),
        Value::Object(fields) => fields.len(),
        other => bail!("`count` expects a text or a collection, got `{other}`"),
    }))
}

/// Character by character, as OPA does it: where the full conversion is of several characters, a simple one or none.
fn lower(c: char) -> char {
    let mut converted = c.to_lowercase();
    match (converted.next(), converted.next()) {
        (Some(one), None) => one,
        _ if c == '\u{130}' => 'i',
        _ => c,
    }
}

fn upper(c: char) -> char {
    let mut converted = c.to_uppercase();
    match (converted.next(), converted.next()) {
        (Some(one), None) => one,
        _ => match c {
            '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => {
                char::from_u32(c as u32 + 8).unwrap_or(c)
            }
            '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => char::from_u32(c as u32 + 9).unwrap_or(c),
            _ => c,
        },
    }
}

fn replace(arguments: &[Value]) -> Result<Value> {
    let (value, old, new) =
        (text("replace", &arguments[0])?, text("replace", &arguments[1])?, text("replace", &arguments[2])?);
    if old.is_empty() {
        bail!("`replace` of the empty text");
    }
    Ok(Value::from(value.replace(old, new)))
}

/// What the engine's own function of a name answers.
pub(crate) fn own(name: &str, arguments: &[Value]) -> Result<Value> {
    let source = Source::from_contents(name.to_owned(), " ".to_owned())?;
    let span = Span { source, line: 1, col: 1, start: 0, end: 0 };
    // It takes their places from these, for its errors.
    let operand = Ref::new(Expr::Null { span: span.clone(), value: Value::Null, eidx: 0 });
    let (function, _) = BUILTINS.get(name).ok_or_else(|| anyhow::anyhow!("no function {name}"))?;
    function(&span, &vec![operand; arguments.len()], arguments, true)
}

/// A patch that fails is an error, and not undefined, which a `not` would turn into true.
fn patch(arguments: &[Value]) -> Result<Value> {
    match own("json.patch", arguments)? {
        Value::Undefined => bail!("`json.patch` failed"),
        patched => Ok(patched),
    }
}

/// `%s` of texts and `%d` of integers. What the format may be is checked when the policy is loaded.
fn sprintf(arguments: &[Value]) -> Result<Value> {
    let format = text("sprintf", &arguments[0])?;
    let mut values = arguments[1].as_array()?.iter();
    let mut result = String::with_capacity(format.len());
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        match (c == '%').then(|| chars.next()).flatten() {
            None if c != '%' => result.push(c),
            Some('%') => result.push('%'),
            Some(verb @ ('s' | 'd')) => {
                let Some(value) = values.next() else { bail!("`sprintf` has fewer values than verbs") };
                if verb == 's' {
                    result.push_str(text("sprintf with %s", value)?);
                } else {
                    result.push_str(&integer("sprintf with %d", value)?.to_string());
                }
            }
            _ => bail!("`sprintf` knows %s, %d and %%"),
        }
    }
    if values.next().is_some() {
        bail!("`sprintf` has more values than verbs");
    }
    Ok(Value::from(result))
}

fn substring(arguments: &[Value]) -> Result<Value> {
    let value = text("substring", &arguments[0])?;
    let (Ok(offset), length) =
        (usize::try_from(integer("substring", &arguments[1])?), integer("substring", &arguments[2])?)
    else {
        bail!("`substring` from before the start")
    };
    let rest = value.chars().skip(offset);
    Ok(Value::from(match usize::try_from(length) {
        Ok(length) => rest.take(length).collect::<String>(),
        Err(_) => rest.collect(),
    }))
}

/// Of a text only if it is an integer as JSON writes it: fractions and exponents come out differently.
fn to_number(arguments: &[Value]) -> Result<Value> {
    match &arguments[0] {
        Value::Null => Ok(Value::from(0_u64)),
        Value::Bool(value) => Ok(Value::from(u64::from(*value))),
        Value::Number(_) => Ok(arguments[0].clone()),
        Value::String(text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let is_plain = digits == "0" && digits.len() == text.len()
                || !digits.is_empty()
                    && !digits.starts_with('0')
                    && digits.bytes().all(|b| b.is_ascii_digit());
            let number =
                text.parse::<i64>().ok().filter(|n| is_plain && (-MAX_INTEGER..=MAX_INTEGER).contains(n));
            number
                .map(Value::from)
                .ok_or_else(|| anyhow::anyhow!("`to_number` expects an integer up to 2^53, got `{text}`"))
        }
        other => bail!("`to_number` expects a text or a scalar, got `{other}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(name: &str, arguments: &str) -> Option<String> {
        let arguments = Value::from_json_str(arguments).expect("it is JSON");
        let (_, arity, function) = FUNCTIONS.iter().find(|(own, ..)| *own == name).expect("it is there");
        let arguments = arguments.as_array().expect("it is a list");
        assert_eq!(usize::from(*arity), arguments.len());
        function(arguments.as_slice()).ok().map(|value| value.to_string())
    }

    #[test]
    fn texts_are_counted_and_cut_in_characters() {
        assert_eq!(answer("count", r#"["a😀é"]"#).as_deref(), Some("3"));
        assert_eq!(answer("count", "[null]"), None);
        assert_eq!(answer("substring", r#"["a😀é", 1, 1]"#).as_deref(), Some(r#""😀""#));
        assert_eq!(answer("substring", r#"["abc", 1, -1]"#).as_deref(), Some(r#""bc""#));
        assert_eq!(answer("substring", r#"["abc", -1, 1]"#), None);
        assert_eq!(answer("substring", r#"["abc", 0.5, 1]"#), None);
    }

    #[test]
    fn letters_are_folded_one_by_one() {
        assert_eq!(answer("upper", r#"["straße ᾳ ᾀ"]"#).as_deref(), Some(r#""STRAßE ᾼ ᾈ""#));
        assert_eq!(answer("lower", r#"["ΣΑΣ İ"]"#).as_deref(), Some(r#""σασ i""#));
        assert_eq!(answer("lower", "[1]"), None);
    }

    #[test]
    fn formats_take_texts_and_integers() {
        assert_eq!(answer("sprintf", r#"["%s: %d %%", ["a", -5]]"#).as_deref(), Some(r#""a: -5 %""#));
        for wrong in [
            r#"["%s", [1]]"#,
            r#"["%d", ["1"]]"#,
            r#"["%d", [1.5]]"#,
            r#"["%s", []]"#,
            r#"["", [1]]"#,
            r#"["%v", [1]]"#,
            r#"["%", []]"#,
        ] {
            assert_eq!(answer("sprintf", wrong), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_are_plain_integers() {
        for (text, number) in [("0", "0"), ("-7", "-7"), ("9007199254740992", "9007199254740992")] {
            assert_eq!(answer("to_number", &format!(r#"["{text}"]"#)).as_deref(), Some(number));
        }
        for text in
            ["", "-", "-0", "01", "+1", " 1", "1 ", "1.5", "1e3", "0x1", "1_0", "9007199254740993", "١"]
        {
            assert_eq!(answer("to_number", &format!(r#"["{text}"]"#)), None, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_done_is_an_error() {
        assert_eq!(answer("replace", r#"["abc", "", "x"]"#), None);
        assert_eq!(answer("json.patch", r#"[{}, [{"op": "remove", "path": "/a"}]]"#), None);
        assert!(own("regex.match", &["a{1000}".into(), "".into()]).is_ok());
        assert!(own("regex.match", &[".{1000}".into(), "".into()]).is_err());
        assert!(own("nothing", &[]).is_err());
    }
}
