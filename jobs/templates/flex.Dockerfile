# The launcher of the Dataflow Flex template. Never built by the project.
#   python -m build --sdist && docker build -f jobs/templates/flex.Dockerfile -t negmine-flex .
#   gcloud dataflow flex-template build gs://my-bucket/negmine.json --image negmine-flex \
#     --sdk-language PYTHON --metadata-file jobs/templates/metadata.json
FROM gcr.io/dataflow-templates-base/python311-template-launcher-base
WORKDIR /template
COPY jobs/templates/requirements.txt jobs/flex_main.py dist/negmine-*.tar.gz /template/
RUN pip install --no-cache-dir -r requirements.txt /template/negmine-*.tar.gz
ENV FLEX_TEMPLATE_PYTHON_PY_FILE=/template/flex_main.py
