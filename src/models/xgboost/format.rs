//! XGBoost's own JSON format (its documentation, *Introduction to Model IO*): the trees of a `gbtree` model.

use serde::Deserialize;

use crate::boosting::{Ensemble, Link, Node, Split};
use crate::error::{Error, Result};

#[derive(Deserialize)]
struct Model {
    learner: LearnerPart,
}

#[derive(Deserialize)]
struct LearnerPart {
    gradient_booster: Booster,
    learner_model_param: Parameters,
    objective: ObjectivePart,
}

#[derive(Deserialize)]
struct Booster {
    model: Trees,
}

#[derive(Deserialize)]
struct Trees {
    trees: Vec<TreePart>,
}

#[derive(Deserialize)]
struct Parameters {
    base_score: String,
}

#[derive(Deserialize)]
struct ObjectivePart {
    name: String,
}

#[derive(Deserialize)]
struct TreePart {
    left_children: Vec<i64>,
    right_children: Vec<i64>,
    split_indices: Vec<usize>,
    /// The number that a value is compared with; at a leaf, its value.
    split_conditions: Vec<f32>,
    /// 0 or 1; booleans in some versions.
    default_left: Vec<serde_json::Value>,
    sum_hessian: Vec<f32>,
    loss_changes: Vec<f32>,
}

/// The trees of a model.
///
/// # Errors
/// When the text is not such a model.
pub(super) fn read(json: &str) -> Result<Ensemble> {
    let damaged = || Error::data("the saved XGBoost model is damaged");
    let model: Model = serde_json::from_str(json).map_err(|cause| damaged().because(cause))?;
    let learner = model.learner;
    // Since 3.1 a list, of one score where there is one output.
    let base: f32 = learner.learner_model_param.base_score.trim_matches(['[', ']']).parse().map_err(|_| damaged())?;
    let link = match learner.objective.name.as_str() {
        "count:poisson" | "reg:tweedie" => Link::Log,
        _ => Link::Identity,
    };
    let base = if link == Link::Log { f64::from(base).ln() } else { f64::from(base) };
    let trees = learner.gradient_booster.model.trees.iter().map(|tree| nodes(tree).ok_or_else(damaged));
    Ensemble::new(link, base, trees.collect::<Result<_>>()?).ok_or_else(damaged)
}

/// The nodes of a tree with the children of each side by side, from the root on.
fn nodes(tree: &TreePart) -> Option<Vec<Node>> {
    let mut order = vec![0_usize];
    let mut nodes = Vec::new();
    while let Some(at) = order.get(nodes.len()).copied() {
        let (left, right) = (*tree.left_children.get(at)?, *tree.right_children.get(at)?);
        let condition = f64::from(*tree.split_conditions.get(at)?);
        let cover = f64::from(*tree.sum_hessian.get(at)?);
        nodes.push(match usize::try_from(left) {
            Err(_) => Node { cover, value: condition, split: None },
            Ok(left) => {
                let missing_left = match tree.default_left.get(at)? {
                    serde_json::Value::Bool(left) => *left,
                    other => other.as_i64()? != 0,
                };
                let gain = f64::from(*tree.loss_changes.get(at)?);
                let split = Split::below(*tree.split_indices.get(at)?, condition, missing_left, gain, order.len());
                // A tree has no circles, so no more nodes than it says.
                order.extend([left, usize::try_from(right).ok()?]);
                if order.len() > tree.left_children.len() {
                    return None;
                }
                Node { cover, value: 0.0, split: Some(split) }
            }
        });
    }
    Some(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_model_is_refused() {
        for text in ["", "{}", "[1]", r#"{"learner": {}}"#] {
            assert!(read(text).unwrap_err().is_data(), "{text}");
        }
        let circle = r#"{"learner": {"gradient_booster": {"model": {"trees": [{"left_children": [0], "right_children": [0],
            "split_indices": [0], "split_conditions": [1.0], "default_left": [1], "sum_hessian": [1.0],
            "loss_changes": [1.0]}]}}, "learner_model_param": {"base_score": "5E-1"},
            "objective": {"name": "reg:squarederror"}}}"#;
        assert!(read(circle).unwrap_err().is_data());
    }
}
