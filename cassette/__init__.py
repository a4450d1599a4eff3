"""Record Amazon ECS responses once, replay them through botocore, break them with patch files."""
