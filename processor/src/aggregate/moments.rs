//! Variance and its neighbours: the central moments of numbers, and of pairs of numbers. Follows `CentralMomentAgg`,
//! `Covariance`, `PearsonCorrelation` and the regr_ functions of Spark 3.4, which add up and join the sums of powers of
//! distances from the mean so that large means lose no digits.

use super::slot::{Place, set, word};

/// What is made of the moments of numbers; each is NULL of none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// `var_pop`
    Variance,
    /// `var_samp`, `variance`; NULL of one number.
    SampleVariance,
    /// `stddev_pop`
    Deviation,
    /// `stddev_samp`, `stddev`, `std`; NULL of one number.
    SampleDeviation,
    /// `skewness`; NULL of equal numbers.
    Skewness,
    /// `kurtosis`; NULL of equal numbers.
    Kurtosis,
    /// The sum of the squares of the distances from the mean: `regr_sxx`, `regr_syy`.
    Squares,
}

/// What is made of pairs `(y, x)` of which neither is NULL; each is NULL of none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PairMoment {
    /// `covar_pop`
    Covariance,
    /// `covar_samp`; NULL of one pair.
    SampleCovariance,
    /// `corr`; NULL of one pair, and where one side is constant.
    Correlation,
    /// `regr_sxy`: the sum of the products of the distances from the means.
    Products,
    /// `regr_r2`: NULL if y is constant, otherwise 1 if x is. (In the standard it is the other way round.)
    Determination,
    /// `regr_slope`: divided by the squares of every x, also of those without a y, as Spark 3.4 does.
    Slope,
    /// `regr_intercept`, by the same slope.
    Intercept,
}

impl Moment {
    /// Words of its state: the count, the mean, and the sums of the powers from the second on.
    pub(super) fn words(self) -> usize {
        match self {
            Self::Skewness => 4,
            Self::Kurtosis => 5,
            _ => 3,
        }
    }

    pub(super) fn add(self, row: &mut [u64], place: Place, number: f64) {
        let mut state = State::<5>::read(row, place);
        state.add(number);
        state.write(row, place, self.words());
    }

    pub(super) fn merge(self, into: &mut [u64], from: &[u64], place: Place) {
        let mut state = State::<5>::read(into, place);
        state.merge(&State::read(from, place));
        state.write(into, place, self.words());
    }

    pub(super) fn result(self, row: &[u64], place: Place) -> Option<f64> {
        let State([count, _, squares, cubes, fourths]) = State::<5>::read(row, place);
        if count == 0.0 {
            return None;
        }
        match self {
            Self::Variance => Some(squares / count),
            Self::SampleVariance => (count != 1.0).then(|| squares / (count - 1.0)),
            Self::Deviation => Some((squares / count).sqrt()),
            Self::SampleDeviation => (count != 1.0).then(|| (squares / (count - 1.0)).sqrt()),
            Self::Skewness => (squares != 0.0).then(|| count.sqrt() * cubes / (squares * squares * squares).sqrt()),
            Self::Kurtosis => (squares != 0.0).then(|| count * fourths / (squares * squares) - 3.0),
            Self::Squares => Some(squares),
        }
    }
}

/// Doubles in the words of a row; what follows the aggregate's own words is not written back.
struct State<const N: usize>([f64; N]);

impl<const N: usize> State<N> {
    fn read(row: &[u64], place: Place) -> Self {
        Self(std::array::from_fn(|number| f64::from_bits(word(row, place, number))))
    }

    fn write(&self, row: &mut [u64], place: Place, words: usize) {
        self.0.iter().take(words).enumerate().for_each(|(number, value)| set(row, place, number, value.to_bits()));
    }
}

impl State<5> {
    fn add(&mut self, number: f64) {
        let Self([count, mean, squares, cubes, fourths]) = self;
        *count += 1.0;
        let delta = number - *mean;
        let step = delta / *count;
        *mean += step;
        *squares += delta * (delta - step);
        let (delta2, step2) = (delta * delta, step * step);
        *cubes += delta * (delta2 - step2) - 3.0 * step * *squares;
        *fourths += delta * (delta * delta2 - step * step2) - 4.0 * step * *cubes - 6.0 * step2 * *squares;
    }

    fn merge(&mut self, Self([n, mean_of_other, m2, m3, m4]): &Self) {
        let Self([count, mean, squares, cubes, fourths]) = self;
        let (n1, n2) = (*count, *n);
        if n1 + n2 == 0.0 {
            return;
        }
        let delta = mean_of_other - *mean;
        let step = delta / (n1 + n2);
        *fourths += m4
            + step * step * step * delta * n1 * n2 * (n1 * n1 - n1 * n2 + n2 * n2)
            + 6.0 * step * step * (n1 * n1 * m2 + n2 * n2 * *squares)
            + 4.0 * step * (n1 * m3 - n2 * *cubes);
        *cubes += m3 + step * step * delta * n1 * n2 * (n1 - n2) + 3.0 * step * (n1 * m2 - n2 * *squares);
        *squares += m2 + delta * step * n1 * n2;
        *mean += step * n2;
        *count = n1 + n2;
    }
}

/// Of pairs: the count, the means of y and x, the sum of the products, and the squares of each.
const PAIR_WORDS: usize = 6;
/// Of every x, for a slope: the count, the mean, the squares.
const SLOPE_WORDS: usize = 3;

impl PairMoment {
    fn has_slope(self) -> bool {
        matches!(self, Self::Slope | Self::Intercept)
    }

    pub(super) fn words(self) -> usize {
        PAIR_WORDS + if self.has_slope() { SLOPE_WORDS } else { 0 }
    }

    fn every_x(place: Place) -> Place {
        Place { at: place.at + PAIR_WORDS }
    }

    /// `None` is NULL.
    pub(super) fn add(self, row: &mut [u64], place: Place, y: Option<f64>, x: Option<f64>) {
        if let Some(x) = x.filter(|_| self.has_slope()) {
            Moment::Squares.add(row, Self::every_x(place), x);
        }
        let (Some(y), Some(x)) = (y, x) else { return };
        let mut state = State::<PAIR_WORDS>::read(row, place);
        let [count, y_mean, x_mean, products, y_squares, x_squares] = &mut state.0;
        *count += 1.0;
        let (dy, dx) = (y - *y_mean, x - *x_mean);
        *y_mean += dy / *count;
        *x_mean += dx / *count;
        *products += dy * (x - *x_mean);
        *y_squares += dy * (y - *y_mean);
        *x_squares += dx * (x - *x_mean);
        state.write(row, place, PAIR_WORDS);
    }

    pub(super) fn merge(self, into: &mut [u64], from: &[u64], place: Place) {
        if self.has_slope() {
            Moment::Squares.merge(into, from, Self::every_x(place));
        }
        let mut state = State::<PAIR_WORDS>::read(into, place);
        let State([n2, y_mean2, x_mean2, products2, y_squares2, x_squares2]) = State::<PAIR_WORDS>::read(from, place);
        let [count, y_mean, x_mean, products, y_squares, x_squares] = &mut state.0;
        let (n1, n) = (*count, *count + n2);
        if n == 0.0 {
            return;
        }
        let (dy, dx) = (y_mean2 - *y_mean, x_mean2 - *x_mean);
        *products += products2 + dy * (dx / n) * n1 * n2;
        *y_squares += y_squares2 + dy * (dy / n) * n1 * n2;
        *x_squares += x_squares2 + dx * (dx / n) * n1 * n2;
        *y_mean += dy / n * n2;
        *x_mean += dx / n * n2;
        *count = n;
        state.write(into, place, PAIR_WORDS);
    }

    pub(super) fn result(self, row: &[u64], place: Place) -> Option<f64> {
        let State([count, y_mean, x_mean, products, y_squares, x_squares]) = State::<PAIR_WORDS>::read(row, place);
        let slope = || {
            let State([_, _, squares]) = State::<SLOPE_WORDS>::read(row, Self::every_x(place));
            (squares != 0.0).then(|| products / squares)
        };
        let of_some = (count != 0.0).then_some(count);
        match self {
            Self::Covariance => of_some.map(|count| products / count),
            Self::SampleCovariance => of_some.filter(|count| *count != 1.0).map(|count| products / (count - 1.0)),
            Self::Correlation => {
                let divisor = (y_squares * x_squares).sqrt();
                of_some.filter(|count| *count != 1.0 && divisor != 0.0).map(|_| products / divisor)
            }
            Self::Products => of_some.map(|_| products),
            Self::Determination if y_squares == 0.0 => None,
            Self::Determination if x_squares == 0.0 => of_some.map(|_| 1.0),
            Self::Determination => of_some.map(|_| products * products / y_squares / x_squares),
            Self::Slope => slope(),
            Self::Intercept => slope().map(|slope| y_mean - slope * x_mean),
        }
    }
}
