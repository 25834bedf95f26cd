//! Canonical JSON (RFC 8785), straight from Python's objects.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple};

/// What a double holds exactly, and every integer below it (RFC 8785, appendix D).
const MAX_INTEGER: i64 = (1 << 53) - 1;
/// Deeper values than anything that is read from outside may be.
const MAX_LEVELS: usize = 128;
const HEX: &[u8; 16] = b"0123456789abcdef";

/// The canonical form of dictionaries and other mappings, lists, tuples, texts, numbers, booleans and `None`.
///
/// # Errors
/// `ValueError` for a number that no double holds exactly, NaN, infinity, a lone surrogate and too many levels,
/// `TypeError` for what is no JSON.
pub(crate) fn text(value: &Bound<'_, PyAny>) -> PyResult<String> {
    let mut out = String::with_capacity(16 * 1024);
    write(value, &mut out, 0)?;
    Ok(out)
}

fn write(value: &Bound<'_, PyAny>, out: &mut String, levels: usize) -> PyResult<()> {
    if levels > MAX_LEVELS {
        return Err(PyValueError::new_err(format!("more than {MAX_LEVELS} levels of nesting")));
    }
    if let Ok(text) = value.cast::<PyString>() {
        write_text(text.to_str()?, out);
    } else if let Ok(members) = value.cast::<PyDict>() {
        write_object(members, out, levels)?;
    } else if let Ok(items) = value.cast::<PyList>() {
        write_array(items.iter(), out, levels)?;
    } else if value.is_none() {
        out.push_str("null");
    } else if let Ok(truth) = value.cast::<PyBool>() {
        out.push_str(if truth.is_true() { "true" } else { "false" });
    } else if let Ok(number) = value.cast::<PyInt>() {
        out.push_str(&integer(number)?.to_string());
    } else if let Ok(number) = value.cast::<PyFloat>() {
        write_float(number.value(), out)?;
    } else if let Ok(items) = value.cast::<PyTuple>() {
        write_array(items.iter(), out, levels)?;
    } else if let Ok(members) = value.cast::<PyMapping>() {
        let copy = PyDict::new(value.py());
        copy.update(members)?;
        write_object(&copy, out, levels)?;
    } else {
        return Err(PyTypeError::new_err(format!("{} is no JSON", value.get_type().name()?)));
    }
    Ok(())
}

fn integer(number: &Bound<'_, PyInt>) -> PyResult<i64> {
    match number.extract::<i64>() {
        Ok(value) if (-MAX_INTEGER..=MAX_INTEGER).contains(&value) => Ok(value),
        _ => Err(PyValueError::new_err("an integer is larger than all doubles hold exactly")),
    }
}

fn write_float(number: f64, out: &mut String) -> PyResult<()> {
    if !number.is_finite() {
        return Err(PyValueError::new_err(format!("{number} is no number in JSON")));
    }
    out.push_str(ryu_js::Buffer::new().format_finite(number));
    Ok(())
}

fn write_array<'py>(
    items: impl Iterator<Item = Bound<'py, PyAny>>,
    out: &mut String,
    levels: usize,
) -> PyResult<()> {
    out.push('[');
    for (number, item) in items.enumerate() {
        if number > 0 {
            out.push(',');
        }
        write(&item, out, levels + 1)?;
    }
    out.push(']');
    Ok(())
}

fn write_object(members: &Bound<'_, PyDict>, out: &mut String, levels: usize) -> PyResult<()> {
    let mut found = Vec::with_capacity(members.len());
    for (name, value) in members.iter() {
        let Ok(name) = name.cast_into::<PyString>() else {
            return Err(PyTypeError::new_err("a name of a member is no text"));
        };
        found.push((name, value));
    }
    let mut sorted = Vec::with_capacity(found.len());
    for (name, value) in &found {
        sorted.push((name.to_str()?, value));
    }
    // By UTF-16 code units (RFC 8785, 3.2.3): in ASCII, that is by bytes.
    sorted.sort_by(|(a, _), (b, _)| {
        if a.is_ascii() && b.is_ascii() { a.cmp(b) } else { a.encode_utf16().cmp(b.encode_utf16()) }
    });
    out.push('{');
    for (number, (name, value)) in sorted.into_iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        write_text(name, out);
        out.push(':');
        write(value, out, levels + 1)?;
    }
    out.push('}');
    Ok(())
}

/// A text between quotes, with no more escapes than there have to be (RFC 8785, 3.2.2.2).
fn write_text(text: &str, out: &mut String) {
    out.push('"');
    let mut done = 0;
    for (place, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[done..place]);
        done = place + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            0x08 => out.push_str("\\b"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            0x0c => out.push_str("\\f"),
            b'\r' => out.push_str("\\r"),
            _ => {
                out.push_str("\\u00");
                out.push(HEX[usize::from(byte >> 4)].into());
                out.push(HEX[usize::from(byte & 15)].into());
            }
        }
    }
    out.push_str(&text[done..]);
    out.push('"');
}
