"""Installs `oasis_tf` and `data_pipeline` with what they need."""

from setuptools import find_packages, setup

ONNX = ["onnx>=1.17", "onnxruntime>=1.19"]
LITERT = ["ai-edge-litert>=2"]
HUB = ["huggingface_hub>=1"]
SERVE = ["fastapi>=0.115", "uvicorn[standard]>=0.30", "prometheus_client>=0.20"]

setup(
    name="oasis-tf",
    version="0.1.0",
    description=(
        "OASIS in TensorFlow: photographs from semantic label maps and 3D noise, "
        "trained with adversarial supervision only"
    ),
    license="Apache-2.0",
    packages=find_packages(include=["oasis_tf*", "data_pipeline*"]),
    package_data={"oasis_tf.serving": ["page/*"]},
    python_requires=">=3.10,<3.14",
    # The reason for each is in the table in docs/dependencies.md.
    install_requires=[
        "tensorflow>=2.20,<2.21",
        "keras>=3.10,<4",
        "tf-models-official>=2.20,<2.21",
        "tensorflow-serving-api>=2.20,<2.21",
        "numpy>=2,<3",
        "pillow>=10",
        "grpcio>=1.60",
        "scipy>=1.10",
        "pycocotools>=2.0.8",
        "msgspec>=0.19",
        "google-crc32c>=1.5",
        "tqdm>=4.66",
        "tensorboard>=2.20,<2.21",
        "setuptools<81",
    ],
    extras_require={
        "serve": SERVE,
        "gpu": ["tensorflow[and-cuda]>=2.20,<2.21"],
        "onnx": ONNX,
        "litert": LITERT,
        "hub": HUB,
        "segformer": ["keras-hub>=0.20"],
        "docs": ["mkdocs-material>=9.5", "mkdocstrings[python]>=0.26"],
        "dev": [
            *SERVE,
            *ONNX,
            *LITERT,
            *HUB,
            "openvino>=2024.4",
            "pytest>=8",
            "pytest-xdist>=3.8",
            "ruff>=0.6",
            "hypothesis>=6.100",
            "selenium>=4.20",
            "pyyaml>=6",
        ],
    },
)
