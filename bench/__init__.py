"""What Trailhound is measured by."""
