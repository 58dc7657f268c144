//! What does a calendar of promotions earn, and which is the best?
