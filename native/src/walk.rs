//! Visits what a rule consists of.
//!
//! The matches name every kind of node of the pinned engine, so a node that a new engine adds stops
//! the build instead of escaping the checks.

use regorus::unstable::{AssignOp, Expr, Literal, LiteralStmt, Query, Ref, Rule, RuleHead, Span};

/// The parser limits nested brackets, but not the length of `a + a + ...` or `a[0][0]...`.
pub(crate) const MAX_DEPTH: usize = 128;

pub(crate) enum Seen<'a> {
    /// `in_with`: it is a part of what `with` puts in place of something.
    Reference {
        refr: &'a Expr,
        in_with: bool,
    },
    Call {
        function: &'a Expr,
        span: &'a Span,
        arguments: usize,
    },
    /// A variable that is declared somewhere in the rule.
    Local(&'a Span),
    TooDeep(&'a Span),
}

/// Calls `see` for everything in a rule that a check cares about.
pub(crate) fn walk<'a>(rule: &'a Rule, see: &mut dyn FnMut(Seen<'a>)) {
    Walk { see, depth: 0, in_with: false }.rule(rule);
}

struct Walk<'a, 'f> {
    see: &'f mut dyn FnMut(Seen<'a>),
    depth: usize,
    in_with: bool,
}

impl<'a> Walk<'a, '_> {
    fn rule(&mut self, rule: &'a Rule) {
        let (head, bodies) = match rule {
            Rule::Default { value, .. } => return self.expr(value),
            Rule::Spec { head, bodies, .. } => (head, bodies),
        };
        let (refr, args, value) = match head {
            RuleHead::Compr { refr, assign, .. } => (refr, &[][..], assign.as_ref().map(|a| &a.value)),
            RuleHead::Func { refr, args, assign, .. } => (refr, &args[..], assign.as_ref().map(|a| &a.value)),
            RuleHead::Set { refr, key, .. } => (refr, &[][..], key.as_ref()),
        };
        self.indexes(refr);
        args.iter().for_each(|arg| self.pattern(arg));
        value.into_iter().for_each(|value| self.expr(value));
        for body in bodies {
            body.assign.iter().for_each(|assign| self.expr(&assign.value));
            self.query(&body.query);
        }
    }

    fn query(&mut self, query: &'a Query) {
        query.stmts.iter().for_each(|statement| self.statement(statement));
    }

    fn statement(&mut self, statement: &'a LiteralStmt) {
        match &statement.literal {
            Literal::SomeVars { vars, .. } => vars.iter().for_each(|name| (self.see)(Seen::Local(name))),
            Literal::SomeIn { key, value, collection, .. } => {
                key.iter().chain([value]).for_each(|pattern| self.pattern(pattern));
                self.expr(collection);
            }
            Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => self.expr(expr),
            Literal::Every { key, value, domain, query, .. } => {
                key.iter().chain([value]).for_each(|name| (self.see)(Seen::Local(name)));
                self.expr(domain);
                self.query(query);
            }
        }
        self.in_with = true;
        statement.with_mods.iter().for_each(|with| self.expr(&with.r#as));
        self.in_with = false;
    }

    fn expr(&mut self, expr: &'a Expr) {
        if self.depth == MAX_DEPTH {
            return (self.see)(Seen::TooDeep(expr.span()));
        }
        self.depth += 1;
        match expr {
            Expr::Var { .. } => self.reference(expr),
            Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                self.reference(expr);
                self.indexes(expr);
            }
            Expr::Call { span, fcn, params, .. } => self.call(span, fcn, params),
            Expr::Array { items, .. } | Expr::Set { items, .. } => {
                items.iter().for_each(|item| self.expr(item))
            }
            Expr::Object { fields, .. } => fields.iter().for_each(|(_, key, value)| {
                self.expr(key);
                self.expr(value);
            }),
            Expr::ArrayCompr { term, query, .. } | Expr::SetCompr { term, query, .. } => {
                self.expr(term);
                self.query(query);
            }
            Expr::ObjectCompr { key, value, query, .. } => {
                self.expr(key);
                self.expr(value);
                self.query(query);
            }
            Expr::AssignExpr { op, lhs, rhs, .. } => {
                if *op == AssignOp::ColEq {
                    self.pattern(lhs);
                } else {
                    self.expr(lhs);
                }
                self.expr(rhs);
            }
            Expr::BinExpr { lhs, rhs, .. }
            | Expr::BoolExpr { lhs, rhs, .. }
            | Expr::ArithExpr { lhs, rhs, .. } => {
                self.expr(lhs);
                self.expr(rhs);
            }
            Expr::Membership { key, value, collection, .. } => {
                key.iter().chain([value, collection]).for_each(|part| self.expr(part));
            }
            Expr::UnaryExpr { expr, .. } => self.expr(expr),
            Expr::String { .. } | Expr::RawString { .. } | Expr::Number { .. } => {}
            Expr::Bool { .. } | Expr::Null { .. } => {}
        }
        self.depth -= 1;
    }

    fn reference(&mut self, refr: &'a Expr) {
        (self.see)(Seen::Reference { refr, in_with: self.in_with });
    }

    fn call(&mut self, span: &'a Span, function: &'a Expr, params: &'a [Ref<Expr>]) {
        (self.see)(Seen::Call { function, span, arguments: params.len() });
        params.iter().for_each(|param| self.expr(param));
    }

    /// What a reference has in brackets, and its root unless that is a variable.
    fn indexes(&mut self, mut refr: &'a Expr) {
        let mut length = 0;
        loop {
            length += 1;
            refr = match refr {
                _ if length > MAX_DEPTH => return (self.see)(Seen::TooDeep(refr.span())),
                Expr::RefDot { refr, .. } => refr,
                Expr::RefBrack { refr, index, .. } => {
                    self.expr(index);
                    refr
                }
                Expr::Var { .. } => return,
                root => return self.expr(root),
            };
        }
    }

    /// The left side of `:=`, of `in` after `some`, or a parameter.
    fn pattern(&mut self, pattern: &'a Expr) {
        match pattern {
            Expr::Var { span, .. } => (self.see)(Seen::Local(span)),
            Expr::Array { items, .. } => items.iter().for_each(|item| self.pattern(item)),
            Expr::Object { fields, .. } => fields.iter().for_each(|(_, key, value)| {
                self.expr(key);
                self.pattern(value);
            }),
            expr => self.expr(expr),
        }
    }
}
