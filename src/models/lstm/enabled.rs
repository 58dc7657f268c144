//! The library at work: the network as burn's tensors, which know their gradients.
//!
//! Every window of a batch is calculated by one thread, and what comes of the windows is added up in their order: the number of
//! threads changes nothing. Nothing is drawn here.

use burn_tensor::activation::{relu, sigmoid, softplus, tanh};
use burn_tensor::{Int, Tensor, TensorData};

use super::head::{Head, MIN_SHAPE, QUANTILES};
use super::network::{Batch, Network};
use super::{Device, graphics};
use crate::error::{Error, Result};
use crate::fitting::PROBABILITIES;

/// Windows that one thread reads at once.
const AT_ONCE: usize = 32;

/// Where tensors are kept and calculated with.
pub(super) struct Engine {
    device: burn_tensor::Device,
    graphics: bool,
}

impl Engine {
    pub fn on(device: Device) -> Result<Self> {
        let (device, graphics) = match device {
            Device::Cpu => (burn_tensor::Device::flex(), false),
            Device::Cuda => (graphics::card()?, true),
        };
        Ok(Self { device, graphics })
    }

    /// Windows that are best read at once.
    pub fn at_once(&self, batch: usize) -> usize {
        if self.graphics { batch } else { AT_ONCE.min(batch) }
    }

    /// The summed loss of known steps, and its derivatives by the parameters.
    pub fn gradients(
        &self,
        network: &Network,
        head: Head,
        parameters: &[f32],
        batch: &Batch,
    ) -> Result<(f64, Vec<f32>)> {
        let device = self.device.clone().autodiff();
        let matrices: Vec<Tensor<2>> =
            matrices(network, parameters, &device).into_iter().map(Tensor::require_grad).collect();
        let loss = loss(head, forward(network, &matrices, batch, &device), batch, &device);
        let value = number(loss.clone())?;
        let mut gradients = loss.backward();
        let mut all = Vec::with_capacity(parameters.len());
        for (matrix, [rows, columns]) in matrices.iter().zip(network.sizes()) {
            match matrix.grad_remove(&mut gradients) {
                Some(gradient) => all.extend(numbers(gradient)?),
                None => all.resize(all.len() + rows * columns, 0.0),
            }
        }
        Ok((value, all))
    }

    /// The summed loss of known steps.
    pub fn loss(&self, network: &Network, head: Head, parameters: &[f32], batch: &Batch) -> Result<f64> {
        let matrices = matrices(network, parameters, &self.device);
        number(loss(head, forward(network, &matrices, batch, &self.device), batch, &self.device))
    }

    /// The outputs, by step ahead, window and number.
    pub fn outputs(&self, network: &Network, parameters: &[f32], batch: &Batch) -> Result<Vec<f32>> {
        let matrices = matrices(network, parameters, &self.device);
        numbers(forward(network, &matrices, batch, &self.device))
    }
}

/// The numbers of a tensor.
fn numbers(tensor: Tensor<2>) -> Result<Vec<f32>> {
    let unread = |cause: String| Error::model("what the network calculated cannot be read").because(cause);
    tensor.into_data().try_to_vec::<f32>().map_err(|cause| unread(format!("{cause:?}")))
}

fn number(tensor: Tensor<1>) -> Result<f64> {
    Ok(numbers(tensor.reshape([1, 1]))?.first().copied().map_or(f64::NAN, f64::from))
}

fn matrices(network: &Network, parameters: &[f32], device: &burn_tensor::Device) -> Vec<Tensor<2>> {
    let mut rest = parameters;
    let matrix = |[rows, columns]: [usize; 2]| {
        let (own, others) = rest.split_at(rows * columns);
        rest = others;
        tensor(own, [rows, columns], device)
    };
    network.sizes().into_iter().map(matrix).collect()
}

fn tensor(numbers: &[f32], size: [usize; 2], device: &burn_tensor::Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(numbers.to_vec(), size), device)
}

/// A recurrent layer: weights of what comes in, of the state, and of what is the same at every step.
struct Layer {
    incoming: Tensor<2>,
    state: Tensor<2>,
    own: Tensor<2>,
}

impl Layer {
    /// The next state: what is kept, and what is shown of it. Gates in the order input, forget, output, candidate.
    fn step(&self, incoming: Tensor<2>, (kept, shown): (Tensor<2>, Tensor<2>)) -> (Tensor<2>, Tensor<2>) {
        let [windows, hidden] = kept.dims();
        let gates = incoming.matmul(self.incoming.clone()) + shown.matmul(self.state.clone()) + self.own.clone();
        let gate = |k: usize| gates.clone().slice([0..windows, k * hidden..(k + 1) * hidden]);
        // A gate that lets pass what was kept, to begin with.
        let kept = sigmoid(gate(1) + 1.0) * kept + sigmoid(gate(0)) * tanh(gate(3));
        let shown = sigmoid(gate(2)) * tanh(kept.clone());
        (kept, shown)
    }
}

/// What the network says, a row per step ahead and window.
fn forward(network: &Network, matrices: &[Tensor<2>], batch: &Batch, device: &burn_tensor::Device) -> Tensor<2> {
    let n = batch.units.len();
    let mut matrices = matrices.iter().cloned();
    let mut next = || matrices.next().unwrap_or_else(|| Tensor::zeros([0, 0], device));
    let series = Tensor::<1, Int>::from_data(TensorData::new(batch.series.clone(), [n]), device);
    let mut identity = vec![next().select(0, series)];
    if network.fixed > 0 {
        identity.push(tensor(&batch.fixed, [n, network.fixed], device));
    }
    identity.push(Tensor::ones([n, 1], device));
    let identity = Tensor::cat(identity, 1);
    let mut layers = || -> Vec<Layer> {
        let layer = |layer: usize| {
            let (incoming, state, own) = (next(), next(), next());
            Layer { incoming, state, own: if layer == 0 { identity.clone().matmul(own) } else { own } }
        };
        (0..network.layers).map(layer).collect()
    };
    let (past, ahead) = (layers(), layers());
    let nothing = || Tensor::zeros([n, network.hidden], device);
    let mut states: Vec<_> = (0..network.layers).map(|_| (nothing(), nothing())).collect();
    let mut through = |layers: &[Layer], incoming: Tensor<2>| {
        let mut shown = incoming;
        for (layer, state) in layers.iter().zip(&mut states) {
            *state = layer.step(shown, state.clone());
            shown = state.1.clone();
        }
        shown
    };
    for step in batch.past.chunks_exact(n * network.past) {
        through(&past, tensor(step, [n, network.past], device));
    }
    let steps = batch.ahead.chunks_exact(n * network.ahead).map(|step| tensor(step, [n, network.ahead], device));
    let shown = Tensor::cat(steps.map(|step| through(&ahead, step)).collect(), 0);
    let rows = shown.dims()[0];
    let told = tensor(&batch.ahead, [rows, network.ahead], device);
    let own = |weights: Tensor<2>| identity.clone().matmul(weights).repeat_dim(0, rows / n);
    let mut hidden = relu(shown.matmul(next()) + told.clone().matmul(next()) + own(next()));
    if !batch.kept.is_empty() {
        hidden = hidden * tensor(&batch.kept, [rows, network.hidden], device);
    }
    hidden.matmul(next()) + told.matmul(next()) + next()
}

/// The summed loss of the steps that are known.
fn loss(head: Head, outputs: Tensor<2>, batch: &Batch, device: &burn_tensor::Device) -> Tensor<1> {
    let rows = batch.targets.len();
    let column = |numbers: &[f32]| tensor(numbers, [rows, 1], device);
    let (target, known) = (column(&batch.targets), column(&batch.known));
    match head {
        Head::Quantile => {
            let probabilities = tensor(&PROBABILITIES.map(|p| p as f32), [1, QUANTILES], device);
            let off = target - outputs;
            let pinball = (off.clone() * probabilities.clone()).max_pair(off * (probabilities - 1.0));
            (pinball.sum_dim(1) * known).sum()
        }
        Head::NegativeBinomial => {
            let units: Vec<f32> = (0..rows).map(|row| batch.units[row % batch.units.len()]).collect();
            let unit = column(&units);
            let counts = target * unit.clone();
            let mean = softplus(outputs.clone().slice([0..rows, 0..1]), 1.0) * unit.clone() + 1e-6;
            let shape = softplus(outputs.slice([0..rows, 1..2]), 1.0) / unit.sqrt() + MIN_SHAPE as f32;
            let (r, spread) = (shape.clone().recip(), (mean.clone() * shape + 1.0).log());
            let scaled = mean.log() - r.clone().log() - spread.clone();
            let log = ln_gamma(counts.clone() + r.clone())
                - ln_gamma(r.clone())
                - ln_gamma(counts.clone() + 1.0)
                - r * spread
                + counts * scaled;
            -(log * known).sum()
        }
    }
}

/// The logarithm of the gamma function of positive numbers: Stirling's series, four steps further on.
fn ln_gamma(x: Tensor<2>) -> Tensor<2> {
    let product = x.clone() * (x.clone() + 1.0) * (x.clone() + 2.0) * (x.clone() + 3.0);
    let far = x + 4.0;
    let series = far.clone().recip() * (1.0 / 12.0) - far.clone().powi_scalar(-3) * (1.0 / 360.0);
    (far.clone() - 0.5) * far.clone().log() - far + 0.918_938_5 + series - product.log()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The loss of steps of which `numbers` are outputs.
    fn loss_of(head: Head, numbers: &[f32], targets: &[f64], units: &[f64]) -> f64 {
        let device = burn_tensor::Device::flex();
        let single = |values: &[f64]| values.iter().map(|value| *value as f32).collect::<Vec<f32>>();
        let batch = Batch {
            targets: single(targets),
            known: vec![1.0; targets.len()],
            units: single(units),
            ..Batch::default()
        };
        let outputs = tensor(numbers, [targets.len(), head.outputs()], &device);
        number(loss(head, outputs, &batch, &device)).unwrap()
    }

    /// R 4.2.2: `-dnbinom(y, size = 1/shape, mu = mu, log = TRUE)`.
    #[test]
    fn the_likelihood_of_counts_is_that_of_r() {
        let inverse = |y: f64| (y.exp() - 1.0).ln();
        for (y, mean, shape, theirs) in [
            (0.0, 2.0, 0.5, 1.386_294_361),
            (1.0, 2.0, 0.5, 1.386_294_361),
            (3.0, 5.0, 0.25, 2.011_348_586),
            (12.0, 4.0, 2.0, 4.337_240_643),
            (250.0, 200.0, 0.1, 5.573_682_396),
        ] {
            for unit in [1.0_f64, 4.0] {
                let outputs = [inverse(mean / unit), inverse((shape - 1e-3) * unit.sqrt())].map(|number| number as f32);
                let ours = loss_of(Head::NegativeBinomial, &outputs, &[y / unit], &[unit]);
                assert!((ours - theirs).abs() < 2e-3, "{y}, {mean}, {shape}: {ours}, not {theirs}");
            }
        }
    }

    /// R 4.2.2: `sum(ifelse(y >= q, p * (y - q), (p - 1) * (y - q)))`.
    #[test]
    fn quantiles_lose_what_r_says() {
        let outputs = [-1.5, -0.9, -0.5, 0.1, 0.6, 1.2, 1.9];
        for (y, theirs) in [(1.3, 1.97), (-0.4, 0.82)] {
            let ours = loss_of(Head::Quantile, &outputs, &[y], &[1.0]);
            assert!((ours - theirs).abs() < 1e-6, "{ours}");
        }
    }
}
