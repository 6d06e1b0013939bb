import { Router } from 'express';
import * as products from '../controllers/productController.js';
import { requireUser } from '../middleware/auth.js';

export const productsRouter = Router();

productsRouter.get('/', products.listProducts);
productsRouter.get('/search', products.searchProducts);
productsRouter.get('/newest', products.newestProducts);
productsRouter.get('/recommended', products.recommendations);
productsRouter.get('/:id/rating', products.productRating);
productsRouter.get('/:slug', products.showProduct);
productsRouter.post('/:id/reviews', requireUser, products.addReview);
