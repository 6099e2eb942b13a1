"""regreen: evaluate, repair and train code-writing language models, with unit tests as the only teacher."""
