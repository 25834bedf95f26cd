//! Parts of the input whose type nobody has looked at, and what must not be done with them.
//!
//! `some x in null` is an error in one engine and nothing at all in the other. The walk follows such parts through
//! variables, rules and functions, but not through collections that the policy makes itself.

use regorus::unstable::{Expr, Ref, Span};

use crate::allowed::Kind;
use crate::checks::{Path, path};
use crate::locals::Key;
use crate::portable::{Checker, Place};
use crate::terms;

impl<'a> Checker<'a> {
    /// An index that takes all members in turn.
    pub(crate) fn iteration(&mut self, span: &'a Span, collection: &'a Expr) {
        match self.place {
            Place::Body => self.collection(collection),
            Place::Negated => {
                self.complain(span, "`not` over all members: write a rule with `some .. in`, and negate that")
            }
            Place::Head => self.complain(span, "bind this in the body first, with `some .. in`"),
        }
    }

    /// What is iterated over.
    pub(crate) fn collection(&mut self, collection: &'a Expr) {
        if Kind::of(collection).is_some_and(|kind| !kind.is_collection()) {
            self.complain(collection.span(), "this is no collection");
        }
        if !self.at.is_test && self.is_raw(collection) {
            let text = collection.span().text();
            let message = match collection {
                Expr::Var { .. } => format!(
                    "write `is_array({text})` (or is_object, is_set) before its members are taken: it may be anything"
                ),
                _ => format!(
                    "write `xs := {text}` and `is_array(xs)` (or is_object, is_set) before its members are taken: it may be anything"
                ),
            };
            self.complain(terms::root(collection).span(), message);
        }
    }

    /// Whether this is a part of the input whose type nobody looked at.
    pub(crate) fn is_raw(&self, expr: &Expr) -> bool {
        self.comes_from_input(expr) && !Key::of(expr).is_some_and(|key| self.locals.is_checked(&key))
    }

    pub(crate) fn comes_from_input(&self, expr: &Expr) -> bool {
        if let Expr::Call { fcn, params, .. } = expr {
            let passes_on = matches!(fcn.span().text(), "object.get" | "json.patch");
            return passes_on && params.first().is_some_and(|param| self.comes_from_input(param))
                || self.at.raw.contains(&self.full_path(fcn));
        }
        match terms::root(expr) {
            Expr::Var { span, .. } => match self.locals.find(span.text()) {
                Some(local) => local.is_raw,
                None => {
                    let path = self.full_path(expr);
                    path[0] == "input" || (1..=path.len()).any(|end| self.at.raw.contains(&path[..end]))
                }
            },
            call @ Expr::Call { .. } => self.comes_from_input(call),
            _ => false,
        }
    }

    pub(crate) fn has_raw_members(&self, collection: &Expr) -> bool {
        match collection {
            Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().any(|item| self.is_raw(item)),
            Expr::Object { fields, .. } => fields.iter().any(|(_, _, value)| self.is_raw(value)),
            _ => self.comes_from_input(collection),
        }
    }

    /// The path of a rule or function, without `data`, or one that starts with `input`.
    fn full_path(&self, expr: &Expr) -> Path {
        let mut path = path(expr);
        if let Some(import) = self.at.imports.get(&path[0]) {
            path.splice(..1, import.iter().cloned());
        } else if self.at.rules.contains(path[0].as_str()) {
            path.splice(..0, self.at.package.iter().cloned());
            return path;
        }
        if path[0] == "data" && path.len() > 1 {
            path.remove(0);
        }
        path
    }

    pub(crate) fn is_raw_argument(&self, place: usize) -> bool {
        self.at.raw.contains(&below(&self.path, place))
    }

    /// Notes which arguments of a function may be parts of the input that nobody looked at.
    pub(crate) fn hand_over(&mut self, function: &Expr, params: &[Ref<Expr>]) {
        if self.at.is_test {
            return;
        }
        let raw = params.iter().enumerate().filter(|(_, param)| self.is_raw(param));
        let places: Vec<Path> = raw.map(|(place, _)| below(&self.full_path(function), place)).collect();
        self.findings.raw_arguments.extend(places);
    }
}

fn below(function: &[String], place: usize) -> Path {
    [function, &[place.to_string()]].concat()
}
