"""The VCC ops bot: chat commands that are permission-checked, previewed, approved and recorded."""
