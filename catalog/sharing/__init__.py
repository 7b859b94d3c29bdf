"""What is told of a model outside its page: an image for shared links, a badge, a text for machines."""
