# The container of a worker on Flink, Spark or Dataflow. Never built by the project.
#   python -m build --sdist && docker build -f jobs/templates/worker.Dockerfile -t negmine-worker .
FROM apache/beam_python3.11_sdk:2.77.0
COPY dist/negmine-*.tar.gz /tmp/
RUN pip install --no-cache-dir /tmp/negmine-*.tar.gz && rm /tmp/negmine-*.tar.gz
# The image's own entry point, /opt/apache/beam/boot, starts the worker.
