//! The builtin functions that a policy may call, and the names that no rule may have.
//!
//! Allowed is what both engines have, what depends on its arguments alone, and what gave equal results or an error in
//! both for every argument that was measured (`tests/property/test_portable_builtins.py`). Some are equal only because
//! `replaced` puts another implementation in the place of the engine's own.

use regorus::unstable::{BUILTINS, Expr};

/// Each function with the kinds of its arguments: `s` text, `n` number, `a` array, `o` object, `e` set, `l` array or set,
/// `c` array, set or text, `k` any of these or an object, `.` anything.
const ALLOWED: &[(&str, &str)] = &[
    ("abs", "n"),
    ("array.concat", "aa"),
    ("array.reverse", "a"),
    ("base64.encode", "s"),
    ("base64url.encode", "s"),
    ("base64url.encode_no_pad", "s"),
    ("concat", "sl"),
    ("contains", "ss"),
    ("count", "k"),
    ("endswith", "ss"),
    ("floor", "n"),
    ("format_int", "nn"),
    ("graph.reachable", "ol"),
    ("hex.decode", "s"),
    ("hex.encode", "s"),
    ("intersection", "e"),
    ("is_array", "."),
    ("is_boolean", "."),
    ("is_null", "."),
    ("is_number", "."),
    ("is_object", "."),
    ("is_set", "."),
    ("is_string", "."),
    ("json.patch", ".a"),
    ("lower", "s"),
    ("max", "l"),
    ("min", "l"),
    ("numbers.range", "nn"),
    ("numbers.range_step", "nnn"),
    ("object.filter", "o."),
    ("object.get", "o.."),
    ("object.keys", "o"),
    ("object.remove", "o."),
    ("object.union", "oo"),
    ("object.union_n", "a"),
    ("product", "l"),
    ("regex.find_n", "ssn"),
    ("regex.match", "ss"),
    ("regex.replace", "sss"),
    ("replace", "sss"),
    ("round", "n"),
    ("sort", "l"),
    ("split", "ss"),
    ("sprintf", "sa"),
    ("startswith", "ss"),
    ("strings.any_prefix_match", "cc"),
    ("strings.any_suffix_match", "cc"),
    ("strings.reverse", "s"),
    ("substring", "snn"),
    ("sum", "l"),
    ("to_number", "."),
    ("trim", "ss"),
    ("trim_left", "ss"),
    ("trim_prefix", "ss"),
    ("trim_right", "ss"),
    ("trim_space", "s"),
    ("trim_suffix", "ss"),
    ("type_name", "."),
    ("union", "e"),
    ("upper", "s"),
];

/// What an operator calls in OPA. A rule of that name would call itself, or change what the operator means.
const OPERATORS: &[&str] = &[
    "and", "assign", "div", "eq", "equal", "gt", "gte", "lt", "lte", "minus", "mul", "neq", "or", "plus",
    "rem",
];

/// What else one of the engines has: functions without a dot, and the part before the dot of the others.
const RESERVED: &[&str] = &[
    "all",
    "any",
    "array",
    "base64",
    "base64url",
    "bits",
    "cast_array",
    "cast_boolean",
    "cast_null",
    "cast_object",
    "cast_set",
    "cast_string",
    "ceil",
    "crypto",
    "glob",
    "graph",
    "graphql",
    "hex",
    "http",
    "indexof",
    "indexof_n",
    "internal",
    "io",
    "json",
    "net",
    "numbers",
    "object",
    "opa",
    "print",
    "providers",
    "rand",
    "re_match",
    "regex",
    "rego",
    "semver",
    "set_diff",
    "strings",
    "time",
    "trace",
    "units",
    "uri",
    "urlquery",
    "uuid",
    "walk",
    "yaml",
];

/// What a call of a builtin function comes to.
pub(crate) enum Builtin {
    Allowed {
        kinds: &'static str,
    },
    /// One engine has it.
    Refused,
    Unknown,
}

/// The functions that a policy may call, with their number of arguments.
pub fn builtins() -> impl Iterator<Item = (&'static str, usize)> {
    ALLOWED.iter().map(|(name, kinds)| (*name, kinds.len()))
}

pub(crate) fn find(name: &str) -> Builtin {
    match ALLOWED.binary_search_by_key(&name, |(name, _)| name) {
        Ok(at) => Builtin::Allowed { kinds: ALLOWED[at].1 },
        Err(_) if !BUILTINS.contains_key(name) && !is_taken(name.split('.').next().unwrap_or(name)) => {
            Builtin::Unknown
        }
        _ => Builtin::Refused,
    }
}

/// Whether a rule or an import of this name would hide a builtin function from one of the engines.
pub(crate) fn is_taken(name: &str) -> bool {
    ALLOWED.binary_search_by_key(&name, |(name, _)| name).is_ok()
        || OPERATORS.contains(&name)
        || RESERVED.contains(&name)
}

/// What a literal or comprehension is, where that can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Number,
    Text,
    Array,
    Object,
    Set,
}

impl Kind {
    pub(crate) fn of(expr: &Expr) -> Option<Self> {
        match expr {
            Expr::Null { .. } => Some(Self::Null),
            Expr::Bool { .. } => Some(Self::Boolean),
            Expr::Number { .. } | Expr::UnaryExpr { .. } => Some(Self::Number),
            Expr::String { .. } | Expr::RawString { .. } => Some(Self::Text),
            Expr::Array { .. } | Expr::ArrayCompr { .. } => Some(Self::Array),
            Expr::Object { .. } | Expr::ObjectCompr { .. } => Some(Self::Object),
            Expr::Set { .. } | Expr::SetCompr { .. } => Some(Self::Set),
            Expr::BoolExpr { .. } | Expr::Membership { .. } => Some(Self::Boolean),
            Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } | Expr::Call { .. } => None,
            Expr::BinExpr { .. } => Some(Self::Set),
            Expr::ArithExpr { .. } | Expr::AssignExpr { .. } => None,
        }
    }

    pub(crate) fn is_collection(self) -> bool {
        matches!(self, Self::Array | Self::Object | Self::Set)
    }

    /// Whether an argument may be of this kind.
    pub(crate) fn fits(self, wanted: char) -> bool {
        match wanted {
            's' => self == Self::Text,
            'n' => self == Self::Number,
            'a' => self == Self::Array,
            'o' => self == Self::Object,
            'e' => self == Self::Set,
            'l' => matches!(self, Self::Array | Self::Set),
            'c' => matches!(self, Self::Array | Self::Set | Self::Text),
            'k' => self.is_collection() || self == Self::Text,
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_searched() {
        assert!(ALLOWED.is_sorted_by_key(|(name, _)| *name));
        for (name, kinds) in ALLOWED {
            let (_, arity) = BUILTINS[*name];
            assert_eq!(usize::from(arity), kinds.len(), "{name}");
        }
    }

    #[test]
    fn every_builtin_of_the_engine_is_taken() {
        for name in BUILTINS.keys().filter(|name| !name.starts_with("__")) {
            assert!(is_taken(name.split('.').next().unwrap_or(name)), "{name}");
        }
    }

    #[test]
    fn a_builtin_is_allowed_or_refused_or_unknown() {
        assert!(matches!(find("count"), Builtin::Allowed { kinds: "k" }));
        for refused in ["time.now_ns", "http.send", "walk", "print", "io.jwt.decode", "crypto.sha256"] {
            assert!(matches!(find(refused), Builtin::Refused), "{refused}");
        }
        assert!(matches!(find("my.function"), Builtin::Unknown));
    }
}
