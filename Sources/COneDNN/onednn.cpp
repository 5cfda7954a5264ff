// onednn
