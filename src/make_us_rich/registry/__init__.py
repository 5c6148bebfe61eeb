"""What is served: artifacts, the shelf they stand on, and who is champion."""
