#[path = "common/fake.rs"]
mod fake;

#[test]
fn the_fake_answers() {
    use tradewind_serve::engine::Engine;
    assert_eq!(fake::Fake::default().models().len(), 3);
}
