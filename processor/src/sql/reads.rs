//! What a query reads of its topics: the SELECTs of a UNION ALL that read one topic read it once.

use super::block::Block;
use super::scope::Scope;
use crate::plan::{Branch, ReadFrom, Side, Source, SourceColumn, Watermark};

/// The sources of a query, and what each branch takes of them.
pub(super) struct Reads<'t> {
    sources: Vec<(String, Scope<'t>)>,
    /// Of each branch, the number of its source.
    of: Vec<usize>,
    /// Of each branch.
    pub(super) watermarks: Vec<Option<Watermark>>,
}

impl<'t> Reads<'t> {
    /// Takes the columns of all branches together, which get other numbers by that.
    pub(super) fn of(block: &mut Block<'t>) -> Self {
        let mut reads = Self { sources: Vec::new(), of: Vec::new(), watermarks: Vec::new() };
        let mut declared = Vec::with_capacity(block.branches.len());
        for number in 0..block.branches.len() {
            let Some(branch) = block.branches.get_mut(number) else { break };
            let scope = branch.scope.take();
            declared.push(scope.table().and_then(|table| table.watermark.as_ref()));
            let (source, numbers) = reads.source(&branch.topic, scope);
            let renumber = |column: usize| numbers.get(column).copied().unwrap_or(column);
            match (&mut branch.goes.side, branch.goes.to) {
                (Some(side), _) => side.renumber(&renumber),
                (None, level) => block.level_mut(level).renumber(&renumber),
            }
            reads.of.push(source);
        }
        for (watermark, source) in declared.into_iter().zip(&reads.of) {
            let watermark = watermark.zip(reads.sources.get_mut(*source)).map(|(watermark, (_, scope))| {
                let column = match watermark.from {
                    ReadFrom::Json => scope.column(&watermark.name),
                    from => Some(scope.kafka(&watermark.name, from)),
                };
                Watermark { column: column.unwrap_or(0), delay_micros: watermark.delay_micros }
            });
            reads.watermarks.push(watermark);
        }
        reads
    }

    /// The source of a topic that has the columns of `scope`, and their numbers there. A column that was read as another
    /// type before needs another source.
    fn source(&mut self, topic: &str, scope: Scope<'t>) -> (usize, Vec<usize>) {
        for (number, (known, columns)) in self.sources.iter_mut().enumerate() {
            if known == topic
                && let Some(numbers) = columns.adopt(&scope)
            {
                return (number, numbers);
            }
        }
        self.sources.push((topic.to_owned(), scope));
        (self.sources.len() - 1, Vec::new())
    }

    /// The topics, in the order of the sources.
    pub(super) fn topics(&self) -> impl Iterator<Item = &str> {
        self.sources.iter().map(|(topic, _)| topic.as_str())
    }

    /// The topic and the columns of each branch, and its watermark.
    pub(super) fn branches(&self) -> impl Iterator<Item = (&str, &Scope<'t>, Option<Watermark>)> {
        let sources = self.of.iter().filter_map(|source| self.sources.get(*source));
        sources.zip(&self.watermarks).map(|((topic, scope), watermark)| (topic.as_str(), scope, *watermark))
    }

    /// The sources with their branches, whose side and level `goes` gives, and all columns of each.
    pub(super) fn sources(
        self,
        goes: impl Iterator<Item = (Option<Side>, usize)>,
    ) -> (Vec<Source>, Vec<Vec<SourceColumn>>) {
        let (topics, scopes): (Vec<String>, Vec<Scope<'t>>) = self.sources.into_iter().unzip();
        let source = |topic| Source { topic, columns: Vec::new(), branches: Vec::new() };
        let mut sources: Vec<Source> = topics.into_iter().map(source).collect();
        for (number, ((side, to), (of, watermark))) in goes.zip(self.of.iter().zip(self.watermarks)).enumerate() {
            if let Some(source) = sources.get_mut(*of) {
                source.branches.push(Branch { number, watermark, early_filter: None, filter: None, side, to });
            }
        }
        (sources, scopes.into_iter().map(Scope::into_columns).collect())
    }
}
