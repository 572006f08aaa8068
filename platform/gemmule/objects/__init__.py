"""Files that outlive the process that wrote them: in a folder, or in a bucket."""
