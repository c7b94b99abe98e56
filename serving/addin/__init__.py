"""The pane, in Word and beside the editor page: plain ES modules, no build step; and Word's manifests."""
