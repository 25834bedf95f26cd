//! Heads of rules that regorus evaluates wrongly without saying so.
//!
//! If the head of a rule takes a value apart and one round of an iteration finds nothing, OPA leaves out that
//! round, but regorus forgets the other rounds too: `deny contains v.name if some v in input.list` is the empty
//! set as soon as the last element has no name. A rule that collects refusals would then collect none.

use std::collections::BTreeSet;

use regorus::unstable::{Expr, Literal, Ref, Rule, RuleAssign, RuleBody, RuleHead, Span};

use crate::terms::{indexes, root};

/// The first part of a head that may be undefined in one round of an iteration and not in another.
pub(crate) fn fragile<'a>(rule: &'a Rule, locals: &BTreeSet<String>) -> Option<&'a Span> {
    let Rule::Spec { head, bodies, .. } = rule else { return None };
    let (refr, value, is_collected) = match head {
        RuleHead::Set { refr, key, .. } => (refr, key.as_ref(), true),
        RuleHead::Compr { refr, assign, .. } => (refr, assign.as_ref().map(value_of), !is_constant(refr)),
        RuleHead::Func { refr, assign, .. } => (refr, assign.as_ref().map(value_of), false),
    };
    // A fact has no rounds. A rule with one value has them only if its body iterates.
    if bodies.is_empty() || !(is_collected || bodies.iter().any(iterates)) {
        return None;
    }
    let others = bodies.iter().filter_map(|body| body.assign.as_ref()).map(value_of);
    let values = value.into_iter().chain(others).find_map(|value| part(value, locals));
    values.or_else(|| indexes(refr).find_map(|(_, index)| part(index, locals)))
}

/// The first part of a head with an `else` that may be undefined. OPA then tries the `else`, regorus gives up.
pub(crate) fn undecided<'a>(rule: &'a Rule, locals: &BTreeSet<String>) -> Option<&'a Span> {
    let Rule::Spec { head, bodies, .. } = rule else { return None };
    let (value, is_function) = match head {
        RuleHead::Func { assign, .. } => (assign, true),
        RuleHead::Compr { assign, .. } => (assign, false),
        RuleHead::Set { .. } => return None,
    };
    if !bodies.iter().any(|body| body.is_else) {
        return None;
    }
    let others = bodies.iter().filter_map(|body| body.assign.as_ref());
    let find = |value| is_function.then(|| global(value, locals)).flatten().or_else(|| part(value, locals));
    value.iter().chain(others).find_map(|assign| find(&assign.value))
}

/// A rule or a part of the input, which `part` takes for the same in all rounds.
fn global<'a>(expr: &'a Expr, locals: &BTreeSet<String>) -> Option<&'a Span> {
    match expr {
        Expr::Var { span, .. } => (!locals.contains(span.text())).then_some(span),
        Expr::RefDot { span, .. } | Expr::RefBrack { span, .. } => Some(span),
        Expr::Array { items, .. } | Expr::Set { items, .. } => {
            items.iter().find_map(|item| global(item, locals))
        }
        Expr::Object { fields, .. } => {
            fields.iter().find_map(|(_, key, value)| global(key, locals).or_else(|| global(value, locals)))
        }
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. } => global(lhs, locals).or_else(|| global(rhs, locals)),
        Expr::Membership { key, value, collection, .. } => {
            key.iter().chain([value, collection]).find_map(|operand| global(operand, locals))
        }
        _ => None,
    }
}

fn value_of(assign: &RuleAssign) -> &Ref<Expr> {
    &assign.value
}

fn iterates(body: &RuleBody) -> bool {
    body.query.stmts.iter().any(|statement| match &statement.literal {
        Literal::SomeVars { .. } | Literal::SomeIn { .. } => true,
        Literal::Expr { expr, .. } => expr.span().text().contains("[_]"),
        Literal::NotExpr { .. } | Literal::Every { .. } => false,
    })
}

/// A local variable and everything global have the same value in all of a head, a comprehension is never undefined.
fn part<'a>(expr: &'a Expr, locals: &BTreeSet<String>) -> Option<&'a Span> {
    match expr {
        Expr::Var { .. } | Expr::String { .. } | Expr::RawString { .. } | Expr::Number { .. } => None,
        Expr::Bool { .. } | Expr::Null { .. } => None,
        Expr::ArrayCompr { .. } | Expr::SetCompr { .. } | Expr::ObjectCompr { .. } => None,
        Expr::RefDot { .. } | Expr::RefBrack { .. } => {
            let is_global = !locals.contains(root(expr).span().text());
            let is_settled = is_global && is_constant(expr) && matches!(root(expr), Expr::Var { .. });
            (!is_settled).then_some(expr.span())
        }
        Expr::Call { span, .. } | Expr::AssignExpr { span, .. } => Some(span),
        Expr::Array { items, .. } | Expr::Set { items, .. } => {
            items.iter().find_map(|item| part(item, locals))
        }
        Expr::Object { fields, .. } => {
            fields.iter().find_map(|(_, key, value)| part(key, locals).or_else(|| part(value, locals)))
        }
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. } => part(lhs, locals).or_else(|| part(rhs, locals)),
        Expr::Membership { key, value, collection, .. } => {
            key.iter().chain([value, collection]).find_map(|operand| part(operand, locals))
        }
        Expr::UnaryExpr { expr, .. } => part(expr, locals),
    }
}

fn is_constant(expr: &Expr) -> bool {
    indexes(expr).all(|(_, index)| matches!(index, Expr::String { .. } | Expr::RawString { .. }))
}
