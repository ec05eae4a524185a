"""Numbers about numbers: what the units of a model do over a long text. numpy only."""
