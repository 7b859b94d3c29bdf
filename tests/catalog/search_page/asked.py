"""Questions for a model by the memory that is there, as readers write them, and the address that must come first."""

from __future__ import annotations

BOARD, LIST, CARD, MODEL = "benchmarks/?memory=", "models/?", "accelerators/", "models/"

FIRST: dict[str, str] = {
    # A memory alone, in any width and spelling.
    "24gb": f"{BOARD}24",
    "24 GB": f"{BOARD}24",
    "16g 显存": f"{BOARD}16",
    "６ＧＢ显存": f"{BOARD}6",
    "8gb vram": f"{BOARD}8",
    "2x24gb": f"{BOARD}48",
    # As whole questions.
    "best model for 24gb": f"{BOARD}24",
    "24gb 显卡 最好的模型": f"{BOARD}24",
    "适合 16GB 显存的模型": f"{BOARD}16",
    "what can i run on 24gb": f"{BOARD}24",
    "48g显存能跑什么模型": f"{BOARD}48",
    "largest model that fits in 96gb": f"{BOARD}96",
    "best local llm 128gb": f"{BOARD}128",
    "16GB 内存 能跑哪些大模型": f"{BOARD}16",
    "which model should I use with 48gb": f"{BOARD}48",
    "192G显存部署什么模型好": f"{BOARD}192",
    "24个G 显存 跑什么模型": f"{BOARD}24",
    # What it is wanted for is a board.
    "best coding model for 16gb vram": f"{BOARD}16&board=coding",
    "12GB显存最好的代码模型": f"{BOARD}12&board=coding",
    "24GB显存编程模型": f"{BOARD}24&board=coding",
    "vision model 12gb": f"{BOARD}12&board=category%2Fvision",
    "32gb 显存 多模态模型推荐": f"{BOARD}32&board=category%2Fvision",
    "best math model 24gb": f"{BOARD}24&board=category%2Fmath",
    "best agent model 80gb": f"{BOARD}80&board=category%2Ftool-use",
    # Whose it is to be narrows the list.
    "qwen 24gb": f"{LIST}q=qwen&memory=24&sort=rank%3Aoverall",
    "通义千问 24G 显存": f"{LIST}q=qwen&memory=24&sort=rank%3Aoverall",
    "best gemma for 12gb": f"{LIST}q=gemma&memory=12&sort=rank%3Aoverall",
    # A card or a model that is named is what is meant.
    "RTX 3090 24gb": f"{CARD}rtx-3090/",
    "m4 max 64gb": f"{CARD}apple-m4-max-64gb/",
    "3060 12g": f"{CARD}rtx-3060-12gb/",
    "4090 48g": f"{CARD}rtx-4090-48gb/",
    "A100 80GB": f"{CARD}a100-pcie-80gb/",
    "qwen3 8b 16gb": f"{MODEL}qwen3-8b/",
    "can gpt-oss-20b run on 16gb": f"{MODEL}gpt-oss-20b/",
    # Words that name it are no wish.
    "qwen3-coder 24gb": f"{LIST}q=qwen3-coder&memory=24&sort=rank%3Acoding",
    "phi 3.5 vision 48gb": f"{MODEL}phi-3-5-vision-instruct/",
    "gemma 3 4b 8gb": f"{MODEL}gemma-3-4b-it/",
    "intel 12gb": f"{CARD}arc-b580/",
    "l4 48gb": f"{CARD}l4/",
}
