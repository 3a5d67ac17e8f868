"""One file a journey: plain functions that tell the story; they never enqueue and never see a request."""
