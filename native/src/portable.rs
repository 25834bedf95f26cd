//! Refuses what OPA and the embedded engine understand differently (`docs/explanation/portable-rego.md` has the reasons).
//!
//! The walk knows which variables exist where it is, which of them may be undefined or of any type, and whether it is
//! under a `not`. What one expression shows on its own is the business of `terms`.

use std::collections::{BTreeMap, BTreeSet};

use regorus::unstable::{AssignOp, Expr, Literal, LiteralStmt, Query, Ref, Rule, RuleHead, Span};

use crate::allowed::Kind;
use crate::checks::{Path, path};
use crate::locals::{How, Key, Locals};
use crate::names::{self, Form};
use crate::terms;
use crate::walk::MAX_DEPTH;

/// What is known about the module that a rule is in.
pub(crate) struct Surroundings<'a> {
    pub(crate) package: &'a [String],
    /// The path behind each alias.
    pub(crate) imports: &'a BTreeMap<String, Path>,
    /// The names of the rules of the package, also of those in other files.
    pub(crate) rules: &'a BTreeSet<&'a str>,
    /// Rules and functions whose value is a part of the input that nobody looked at, by full path; below a function,
    /// by its number, an argument that is one.
    pub(crate) raw: &'a BTreeSet<Path>,
    /// The last name of the package ends in `_test`.
    pub(crate) is_test: bool,
}

/// What a rule is found to be.
pub(crate) struct Findings<'a> {
    pub(crate) faults: Vec<(&'a Span, String)>,
    /// Its value may be a part of the input that nobody looked at.
    pub(crate) is_raw: bool,
    /// Arguments of functions that get such a part, for `Surroundings::raw`.
    pub(crate) raw_arguments: Vec<Path>,
    pub(crate) has_not: bool,
}

/// Checks one rule. It has been walked before, so nothing in it is nested too deeply.
pub(crate) fn check<'a>(rule: &'a Rule, surroundings: &'a Surroundings<'a>) -> Findings<'a> {
    let findings = Findings { faults: Vec::new(), is_raw: false, raw_arguments: Vec::new(), has_not: false };
    let mut checker = Checker {
        at: surroundings,
        path: [surroundings.package, &path(names::head(rule))].concat(),
        form: Form::of(rule),
        locals: Locals::default(),
        depth: 0,
        place: Place::Body,
        findings,
    };
    checker.rule(rule);
    checker.findings
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Body,
    /// Under a `not`, but not in a comprehension there.
    Negated,
    Head,
}

pub(crate) struct Checker<'a> {
    pub(crate) at: &'a Surroundings<'a>,
    pub(crate) path: Path,
    pub(crate) form: Form,
    pub(crate) locals: Locals<'a>,
    depth: usize,
    pub(crate) place: Place,
    pub(crate) findings: Findings<'a>,
}

impl<'a> Checker<'a> {
    pub(crate) fn complain(&mut self, span: &'a Span, message: impl Into<String>) {
        self.findings.faults.push((span, message.into()));
    }

    fn rule(&mut self, rule: &'a Rule) {
        let (head, bodies) = match rule {
            Rule::Default { args, value, .. } => {
                args.iter().for_each(|arg| self.pattern(arg, How::Argument { is_raw: false }));
                if !terms::is_constant(value) {
                    self.complain(value.span(), "the value of a default is a constant");
                }
                return self.expr(value);
            }
            Rule::Spec { head, bodies, .. } => (head, bodies),
        };
        self.locals.enter();
        if let RuleHead::Func { span, args, .. } = head {
            if args.is_empty() {
                self.complain(span, "a function has arguments: write a rule instead");
            }
            for (place, arg) in args.iter().enumerate() {
                self.pattern(arg, How::Argument { is_raw: self.is_raw_argument(place) });
            }
        }
        if bodies.is_empty() {
            self.head(head);
        }
        for body in bodies {
            self.locals.enter();
            self.query(&body.query);
            match &body.assign {
                Some(assign) => self.value(&assign.value),
                None if body.is_else => {}
                None => self.head(head),
            }
            self.leave();
        }
        self.leave();
    }

    fn head(&mut self, head: &'a RuleHead) {
        let (refr, value) = match head {
            RuleHead::Compr { refr, assign, .. } => (refr, assign.as_ref().map(|assign| &assign.value)),
            RuleHead::Func { refr, assign, .. } => (refr, assign.as_ref().map(|assign| &assign.value)),
            RuleHead::Set { refr, key, .. } => (refr, key.as_ref()),
        };
        self.place = Place::Head;
        for index in terms::indexes(refr).map(|(_, index)| index) {
            self.expr(index);
        }
        self.place = Place::Body;
        if let Some(value) = value {
            self.value(value);
            self.findings.is_raw &= matches!(self.form, Form::Complete | Form::Function(_));
        }
    }

    fn value(&mut self, value: &'a Expr) {
        self.place = Place::Head;
        self.expr(value);
        self.place = Place::Body;
        self.findings.is_raw |= self.is_raw(value);
    }

    fn leave(&mut self) {
        for span in self.locals.leave() {
            self.complain(span, format!("`{}` is never used: leave it out, or write `_`", span.text()));
        }
    }

    /// A comprehension or the body of `every`: variables in it end with it.
    fn nested(&mut self, query: &'a Query, terms: &[&'a Ref<Expr>]) {
        let place = std::mem::replace(&mut self.place, Place::Body);
        self.locals.enter();
        self.query(query);
        terms.iter().for_each(|term| self.expr(term));
        self.leave();
        self.place = place;
    }

    fn query(&mut self, query: &'a Query) {
        query.stmts.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &'a LiteralStmt) {
        for with in &statement.with_mods {
            if !self.at.is_test {
                self.complain(&with.span, "`with` is for packages whose name ends in `_test`");
            }
            let target = terms::root(&with.refr).span().text();
            if self.at.rules.contains(target) {
                self.complain(
                    with.refr.span(),
                    format!("write the whole path: data.{}.{target}", self.at.package.join(".")),
                );
            }
            self.expr(&with.r#as);
        }
        match &statement.literal {
            Literal::SomeVars { vars, .. } => vars.iter().for_each(|name| self.declare(name, How::Some)),
            Literal::SomeIn { key, value, collection, .. } => {
                self.collection(collection);
                self.expr(collection);
                let is_raw = self.has_raw_members(collection);
                key.iter().for_each(|key| self.pattern(key, How::Each { is_raw: false }));
                self.pattern(value, How::Each { is_raw });
            }
            Literal::Every { key, value, domain, query, .. } => {
                self.collection(domain);
                self.expr(domain);
                let is_raw = self.has_raw_members(domain);
                self.locals.enter();
                key.iter().for_each(|key| self.declare(key, How::Every { is_raw: false }));
                self.declare(value, How::Every { is_raw });
                self.nested(query, &[]);
                self.leave();
            }
            Literal::NotExpr { expr, .. } => self.not(expr),
            Literal::Expr { expr, .. } => self.line(expr, statement.with_mods.is_empty()),
        }
    }

    fn not(&mut self, expr: &'a Expr) {
        self.findings.has_not = true;
        if Kind::of(expr).is_some_and(|kind| !matches!(expr, Expr::BinExpr { .. }) && kind != Kind::Boolean) {
            self.complain(
                expr.span(),
                "`not` of a literal, or of a body in braces: give it a rule of its own, and negate that",
            );
        }
        if let Expr::AssignExpr { span, .. } = expr {
            return self.complain(span, "nothing is assigned under `not`: assign it before");
        }
        self.place = Place::Negated;
        self.expr(expr);
        self.place = Place::Body;
    }

    fn line(&mut self, expr: &'a Expr, is_plain: bool) {
        match expr {
            Expr::AssignExpr { op: AssignOp::ColEq, lhs, rhs, .. } => {
                self.expr(rhs);
                let is_raw = self.is_raw(rhs);
                self.pattern(lhs, How::Assigned { is_raw });
            }
            Expr::AssignExpr { span, lhs, rhs, .. } => {
                self.complain(
                    span,
                    "write `:=` to assign and `==` to compare: the engines unify differently",
                );
                for side in [lhs, rhs] {
                    match side.as_ref() {
                        Expr::Var { span, .. } if !self.is_known(span.text()) => {
                            self.declare(span, How::Some)
                        }
                        side => self.expr(side),
                    }
                }
            }
            Expr::Call { fcn, params, .. } => {
                self.expr(expr);
                if let ("is_array" | "is_object" | "is_set", [param], true) =
                    (fcn.span().text(), &params[..], is_plain)
                {
                    self.locals.check(Key::of(param));
                }
            }
            _ => {
                if Kind::of(expr).is_some_and(Kind::is_collection) && !matches!(expr, Expr::BinExpr { .. }) {
                    self.complain(
                        expr.span(),
                        "a literal is no condition: the engines read these braces differently",
                    );
                }
                self.expr(expr);
            }
        }
    }

    fn expr(&mut self, expr: &'a Expr) {
        if self.depth == MAX_DEPTH {
            return;
        }
        self.depth += 1;
        if let Some((span, message)) = terms::fault(expr, self.at.is_test) {
            self.complain(span, message);
        }
        match expr {
            Expr::Var { span, .. } => self.variable(span),
            Expr::RefDot { .. } | Expr::RefBrack { .. } => self.reference(expr),
            Expr::Call { fcn, params, .. } => {
                let name = terms::root(fcn).span();
                if self.locals.use_of(name.text()).is_some() {
                    self.complain(
                        name,
                        format!("`{}` is a variable here: give the variable another name", name.text()),
                    );
                }
                params.iter().for_each(|param| self.expr(param));
                self.hand_over(fcn, params);
            }
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                items.iter().for_each(|item| self.expr(item))
            }
            Expr::Object { fields, .. } => {
                fields.iter().flat_map(|(_, key, value)| [key, value]).for_each(|part| self.expr(part));
            }
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.nested(query, &[term])
            }
            Expr::ObjectCompr { key, value, query, .. } => self.nested(query, &[key, value]),
            Expr::AssignExpr { lhs, rhs, .. }
            | Expr::BinExpr { lhs, rhs, .. }
            | Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. } => {
                self.expr(lhs);
                self.expr(rhs);
            }
            Expr::Membership { key, value, collection, .. } => {
                if let Some(key) = key {
                    self.complain(
                        key.span(),
                        "in a set this is true in one engine only: look the key up instead",
                    );
                }
                key.iter().chain([value, collection]).for_each(|part| self.expr(part));
            }
            Expr::UnaryExpr { expr, .. } => self.expr(expr),
            Expr::String { .. } | Expr::RawString { .. } | Expr::Number { .. } => {}
            Expr::Bool { .. } | Expr::Null { .. } => {}
        }
        self.depth -= 1;
    }

    fn is_known(&self, name: &str) -> bool {
        matches!(name, "input" | "data")
            || self.locals.find(name).is_some()
            || self.at.imports.contains_key(name)
            || self.at.rules.contains(name)
    }

    fn is_other_package(&self, name: &str) -> bool {
        self.locals.find(name).is_none() && self.at.imports.get(name).is_some_and(|path| path[0] == "data")
    }

    fn variable(&mut self, span: &'a Span) {
        let name = span.text();
        if name == "_" {
            self.complain(
                span,
                "`_` is for what is not used: in brackets, after `some` and on the left of `:=`",
            );
        } else if self.locals.use_of(name) == Some(false) {
            self.complain(span, format!("`{name}` has no value yet: write `some {name}, _ in ..`"));
        } else if !self.is_known(name) {
            self.complain(
                span,
                format!("`{name}` is declared nowhere: write `some {name} in ..` or `{name} := ..` before"),
            );
        } else if self.form.arity().is_some() && !self.at.is_test && self.is_other_package(name) {
            self.complain(span, "a function reads another package through a rule of its own package");
        }
    }

    fn reference(&mut self, refr: &'a Expr) {
        let root = terms::root(refr);
        match root {
            Expr::Var { span, .. } => self.variable(span),
            Expr::Call { .. } => self.expr(root),
            _ => {
                self.complain(root.span(), "assign this to a variable first, and take that apart");
                self.expr(root);
            }
        }
        for (collection, index) in terms::indexes(refr) {
            match index {
                Expr::Var { span, .. } if span.text() == "_" => self.iteration(span, collection),
                Expr::Var { span, .. }
                    if self.locals.find(span.text()).is_some_and(|local| !local.has_value) =>
                {
                    if self.locals.give_value(span.text()) {
                        self.iteration(span, collection);
                    } else {
                        self.variable(span);
                    }
                }
                index => {
                    // In the body of `every` the embedded engine finds what is not there.
                    if matches!(index, Expr::Array { .. } | Expr::Set { .. } | Expr::Object { .. }) {
                        self.complain(
                            index.span(),
                            "assign this to a variable first, and put that in the brackets",
                        );
                    }
                    self.expr(index)
                }
            }
        }
    }

    fn declare(&mut self, span: &'a Span, how: How) {
        let name = span.text();
        if name == "_" {
            return;
        }
        let hides_global = self.at.rules.contains(name) || self.at.imports.contains_key(name);
        let hides = match how {
            _ if matches!(name, "input" | "data") => true,
            How::Argument { .. } | How::Assigned { .. } => self.locals.is_in_this_scope(name),
            How::Some | How::Each { .. } | How::Every { .. } => {
                hides_global || self.locals.find(name).is_some()
            }
        };
        if hides {
            let message = format!(
                "`{name}` is the name of something else here (a rule, an import or a variable): choose another"
            );
            self.complain(span, message);
        }
        self.locals.declare(span, how);
    }

    /// The left side of `:=`, of `in` after `some`, or a parameter.
    fn pattern(&mut self, pattern: &'a Expr, how: How) {
        match pattern {
            Expr::Var { span, .. } => self.declare(span, how),
            Expr::Array { items, .. } => items.iter().for_each(|item| self.pattern(item, how)),
            constant if terms::is_scalar(constant) && !matches!(how, How::Assigned { .. }) => {
                self.expr(constant)
            }
            other => {
                self.complain(other.span(), "only variables, `_` and arrays of them are taken apart here")
            }
        }
    }
}
