//! What can be seen to be unportable in one expression alone.

use regorus::unstable::{ArithOp, BoolOp, Expr, Ref, Span};

use crate::allowed::{self, Builtin, Kind};
use crate::checks::path;
use crate::pattern;
use crate::replaced;

type Fault<'a> = (&'a Span, String);

/// `2^53`, up to which every integer has a number of its own.
const MAX_INTEGER: u64 = 1 << 53;

pub(crate) fn fault(expr: &Expr, is_test: bool) -> Option<Fault<'_>> {
    match expr {
        // A test may show what hostile numbers do.
        Expr::Number { .. } if is_test => None,
        Expr::Number { span, .. } => {
            let digits = span.text().strip_prefix('-').unwrap_or(span.text());
            let is_exact = digits.parse::<u64>().is_ok_and(|number| number <= MAX_INTEGER);
            (!is_exact).then(|| (span, "only integers up to 2^53 are the same in both engines".to_owned()))
        }
        Expr::UnaryExpr { span, .. } => Some((
            span,
            "a minus stands directly before a number: write `0 - x` for anything else".to_owned(),
        )),
        Expr::ArithExpr { span, op, lhs, rhs, .. } => match op {
            ArithOp::Div => Some((
                span,
                "fractions differ between the engines: multiply the other side instead".to_owned(),
            )),
            ArithOp::Sub => operands([lhs, rhs], |kind| matches!(kind, Kind::Number | Kind::Set)),
            ArithOp::Add | ArithOp::Mul | ArithOp::Mod => operands([lhs, rhs], |kind| kind == Kind::Number),
        },
        Expr::BinExpr { lhs, rhs, .. } => operands([lhs, rhs], |kind| kind == Kind::Set),
        Expr::BoolExpr { op, lhs, rhs, .. } => comparison(op, lhs, rhs),
        Expr::Membership { collection, .. } => operands([collection], |kind| kind.is_collection()),
        Expr::Set { span, items, .. } => {
            let has = |wanted| items.iter().any(|item| Kind::of(item) == Some(wanted));
            let is_mixed = has(Kind::Set) && has(Kind::Object);
            is_mixed.then(|| (span, "the engines order sets and objects differently: use arrays".to_owned()))
        }
        Expr::Call { fcn, params, .. } => call(&path(fcn).join("."), params),
        _ => None,
    }
}

fn operands<'a, const N: usize>(operands: [&'a Ref<Expr>; N], fits: fn(Kind) -> bool) -> Option<Fault<'a>> {
    let wrong = operands.into_iter().find(|operand| Kind::of(operand).is_some_and(|kind| !fits(kind)))?;
    Some((
        wrong.span(),
        "this has the wrong type here: one engine refuses it at load, the other when it is reached"
            .to_owned(),
    ))
}

fn comparison<'a>(op: &BoolOp, lhs: &'a Ref<Expr>, rhs: &'a Ref<Expr>) -> Option<Fault<'a>> {
    let is_equality = matches!(op, BoolOp::Eq | BoolOp::Ne);
    let kinds = [lhs, rhs].map(|side| Kind::of(side));
    if !is_equality && kinds.iter().flatten().any(|kind| matches!(kind, Kind::Set | Kind::Object)) {
        return Some((
            lhs.span(),
            "the engines order sets and objects differently: compare numbers or texts".to_owned(),
        ));
    }
    let [Some(left), Some(right)] = kinds else { return None };
    (is_equality && left != right)
        .then(|| (rhs.span(), "two literals of different types are never equal".to_owned()))
}

fn call<'a>(name: &str, params: &'a [Ref<Expr>]) -> Option<Fault<'a>> {
    let Builtin::Allowed { kinds } = allowed::find(name) else { return None };
    for (param, wanted) in params.iter().zip(kinds.chars()) {
        if Kind::of(param).is_some_and(|kind| !kind.fits(wanted)) {
            return Some((param.span(), format!("{name} takes another type here")));
        }
    }
    match (name, params) {
        ("regex.match" | "regex.find_n", [pattern, ..]) | ("regex.replace", [_, pattern, _]) => {
            regex(pattern)
        }
        ("sprintf", [format, values]) => sprintf(format, values),
        ("replace", [_, old, _]) if text(old) == Some("") => {
            Some((old.span(), "replace of the empty text".to_owned()))
        }
        _ => None,
    }
}

fn regex(pattern: &Expr) -> Option<Fault<'_>> {
    let Some(text) = text(pattern) else {
        return Some((pattern.span(), "a regular expression is a text written out here".to_owned()));
    };
    if let Some(fault) = pattern::fault(text) {
        return Some((pattern.span(), format!("not the same regular expression in both engines: {fault}")));
    }
    let is_too_large = replaced::own("regex.match", &[text.into(), "".into()]).is_err();
    is_too_large
        .then(|| (pattern.span(), "the embedded engine has no room for this: repeat less often".to_owned()))
}

fn sprintf<'a>(format: &'a Expr, values: &'a Expr) -> Option<Fault<'a>> {
    let Some(text) = text(format) else {
        return Some((format.span(), "the format of sprintf is a text written out here".to_owned()));
    };
    let Expr::Array { span, items, .. } = values else {
        return Some((values.span(), "the values of sprintf are an array written out here".to_owned()));
    };
    let mut verbs = Vec::new();
    let mut rest = text.chars();
    while rest.find(|c| *c == '%').is_some() {
        match rest.next() {
            Some('%') => {}
            Some(verb @ ('s' | 'd')) => verbs.push(verb),
            _ => {
                return Some((
                    format.span(),
                    "sprintf has %s for texts, %d for integers, %% and nothing else".to_owned(),
                ));
            }
        }
    }
    if verbs.len() != items.len() {
        return Some((span, format!("sprintf has {} values for {} verbs", items.len(), verbs.len())));
    }
    let wrong = verbs.iter().zip(items).find(|(verb, item)| {
        let wanted = if **verb == 's' { Kind::Text } else { Kind::Number };
        Kind::of(item).is_some_and(|kind| kind != wanted)
    });
    wrong.map(|(verb, item)| (item.span(), format!("%{verb} of sprintf takes another type")))
}

/// A text that is written out.
fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::String { value, .. } | Expr::RawString { value, .. } => {
            value.as_string().ok().map(AsRef::as_ref)
        }
        _ => None,
    }
}

pub(crate) fn is_scalar(expr: &Expr) -> bool {
    Kind::of(expr).is_some_and(|kind| !kind.is_collection())
        && !matches!(expr, Expr::BoolExpr { .. } | Expr::Membership { .. })
}

pub(crate) fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().all(|item| is_constant(item)),
        Expr::Object { fields, .. } => {
            fields.iter().all(|(_, key, value)| is_constant(key) && is_constant(value))
        }
        expr => is_scalar(expr),
    }
}

pub(crate) fn root(mut expr: &Expr) -> &Expr {
    while let Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } = expr {
        expr = refr;
    }
    expr
}

/// What stands in brackets, each with what is before it, from left to right.
pub(crate) fn indexes(expr: &Expr) -> impl Iterator<Item = (&Expr, &Expr)> {
    let (mut found, mut next) = (Vec::new(), expr);
    loop {
        next = match next {
            Expr::RefBrack { refr, index, .. } => {
                found.push((refr.as_ref(), index.as_ref()));
                refr
            }
            Expr::RefDot { refr, .. } => refr,
            _ => return found.into_iter().rev(),
        };
    }
}
