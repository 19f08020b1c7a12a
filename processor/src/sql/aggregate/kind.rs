//! The aggregates by their names.

use crate::aggregate::{Moment, PairMoment};

/// The function of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sql) enum Kind {
    Count,
    CountIf,
    Sum,
    TrySum,
    Min,
    Max,
    Avg,
    BoolAnd,
    BoolOr,
    First,
    Last,
    BitAnd,
    BitOr,
    BitXor,
    Moment(Moment),
    PairMoment(PairMoment),
    /// Of the pairs of which neither is NULL.
    PairCount,
    /// Of the second of such pairs, or of the first.
    PairAverage {
        second: bool,
    },
    PairSquares {
        second: bool,
    },
    MinBy,
    MaxBy,
    CollectList,
    CollectSet,
    Mode,
    Median,
    Percentile,
    ApproxPercentile,
    ApproxCountDistinct,
}

/// The aggregates that a query may use, by their names in lower case.
pub(in crate::sql) fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "count" => Kind::Count,
        "count_if" => Kind::CountIf,
        "sum" => Kind::Sum,
        "try_sum" => Kind::TrySum,
        "min" => Kind::Min,
        "max" => Kind::Max,
        "avg" | "mean" | "try_avg" => Kind::Avg,
        "bool_and" | "every" => Kind::BoolAnd,
        "bool_or" | "any" | "some" => Kind::BoolOr,
        "first" | "first_value" | "any_value" => Kind::First,
        "last" | "last_value" => Kind::Last,
        "bit_and" => Kind::BitAnd,
        "bit_or" => Kind::BitOr,
        "bit_xor" => Kind::BitXor,
        "var_pop" => Kind::Moment(Moment::Variance),
        "variance" | "var_samp" => Kind::Moment(Moment::SampleVariance),
        "stddev_pop" => Kind::Moment(Moment::Deviation),
        "stddev" | "stddev_samp" | "std" => Kind::Moment(Moment::SampleDeviation),
        "skewness" => Kind::Moment(Moment::Skewness),
        "kurtosis" => Kind::Moment(Moment::Kurtosis),
        "covar_pop" => Kind::PairMoment(PairMoment::Covariance),
        "covar_samp" => Kind::PairMoment(PairMoment::SampleCovariance),
        "corr" => Kind::PairMoment(PairMoment::Correlation),
        "regr_sxy" => Kind::PairMoment(PairMoment::Products),
        "regr_r2" => Kind::PairMoment(PairMoment::Determination),
        "regr_slope" => Kind::PairMoment(PairMoment::Slope),
        "regr_intercept" => Kind::PairMoment(PairMoment::Intercept),
        "regr_count" => Kind::PairCount,
        "regr_avgx" => Kind::PairAverage { second: true },
        "regr_avgy" => Kind::PairAverage { second: false },
        "regr_sxx" => Kind::PairSquares { second: true },
        "regr_syy" => Kind::PairSquares { second: false },
        "min_by" => Kind::MinBy,
        "max_by" => Kind::MaxBy,
        "collect_list" | "array_agg" => Kind::CollectList,
        "collect_set" => Kind::CollectSet,
        "mode" => Kind::Mode,
        "median" => Kind::Median,
        "percentile" => Kind::Percentile,
        "percentile_approx" | "approx_percentile" => Kind::ApproxPercentile,
        "approx_count_distinct" => Kind::ApproxCountDistinct,
        _ => return None,
    })
}

/// Spark's other aggregates: what to write instead.
pub(in crate::sql) fn unsupported(name: &str) -> Option<&'static str> {
    Some(match name {
        "histogram_numeric" => "COUNT(*) by width_bucket(value, from, to, buckets), or percentile(value, array(…))",
        "count_min_sketch" => "COUNT(*) by the value, or approx_count_distinct(value)",
        _ => return None,
    })
}

impl Kind {
    /// How many arguments it takes, the fewest and the most.
    pub(super) fn arguments(self) -> (usize, usize) {
        match self {
            Self::Count => (1, usize::MAX),
            Self::First | Self::Last | Self::ApproxCountDistinct => (1, 2),
            Self::Percentile | Self::ApproxPercentile => (2, 3),
            Self::PairMoment(_) | Self::PairCount | Self::PairAverage { .. } | Self::PairSquares { .. } => (2, 2),
            Self::MinBy | Self::MaxBy => (2, 2),
            _ => (1, 1),
        }
    }

    /// A call of it.
    pub(super) fn example(self, name: &str) -> String {
        match self {
            Self::PairMoment(_) | Self::PairCount | Self::PairAverage { .. } | Self::PairSquares { .. } => {
                format!("{name}(y, x)")
            }
            Self::MinBy | Self::MaxBy => format!("{name}(value, order)"),
            Self::Percentile | Self::ApproxPercentile => format!("{name}(column, 0.5)"),
            _ => format!("{name}(column)"),
        }
    }

    /// What to give it instead of what it does not take.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::CountIf | Self::BoolAnd | Self::BoolOr => "give it a condition: a = 'x'",
            Self::Min | Self::Max | Self::MinBy | Self::MaxBy | Self::CollectSet => "take a part of it",
            Self::BitAnd | Self::BitOr | Self::BitXor => "give it a whole number: CAST(a AS BIGINT)",
            _ => "give it a number: CAST(a AS DOUBLE)",
        }
    }
}
