"""PyTorch's half of the trainings: the same network, batches and noise as in `src/train.rs`."""
import torch
from torch.utils.data import DataLoader, TensorDataset

OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.02, amsgrad=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.02),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01),
}


class Small(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = torch.nn.Linear(4, 8, dtype=torch.float64)
        self.fc2 = torch.nn.Linear(8, 1, dtype=torch.float64)

    def forward(self, x):
        return self.fc2(torch.tanh(self.fc1(x)))


def begin(path):
    """Writes a training that has not begun."""
    torch.manual_seed(3)
    net = Small()
    x, y = torch.randn(17, 4, dtype=torch.float64), torch.randn(17, 1, dtype=torch.float64)
    order = torch.Generator().manual_seed(11)
    torch.save({"model": net.state_dict(), "epoch": 0, "rng_state": torch.get_rng_state(),
                "generators": {"order": order.get_state()}, "x": x, "y": y}, path)


def go_on(name, source, epochs, target):
    """Goes on for so many epochs from a file that either side wrote; returns the loss of each batch."""
    file = torch.load(source, weights_only=True)
    net, order = Small(), torch.Generator()
    net.load_state_dict(file["model"])
    optimizer = OPTIMIZERS[name](net.parameters())
    if name == "sgd":
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 3, gamma=0.5)
    else:
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    if "optimizer" in file:
        optimizer.load_state_dict(file["optimizer"])
        scheduler.load_state_dict(file["scheduler"])
    torch.set_rng_state(file["rng_state"])
    order.set_state(file["generators"]["order"])
    x, y = file["x"], file["y"]
    loader = DataLoader(TensorDataset(x, y), batch_size=5, shuffle=True, generator=order)
    losses = []
    for _ in range(epochs):
        for points, values in loader:
            points = points + torch.randn_like(points) * 0.1
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(net(points), values)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
    torch.save({"model": net.state_dict(), "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict(),
                "epoch": file["epoch"] + epochs, "rng_state": torch.get_rng_state(),
                "generators": {"order": order.get_state()}, "x": x, "y": y}, target)
    return losses
